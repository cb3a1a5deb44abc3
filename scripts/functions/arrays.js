//@ call f [] = object([[1,2,3],[3,2,1],"1-2-3",[2,4,6],[2],6,[1,2,3,4],[1,2,3,[4]],[0,0],[1,9],[[0,"a"]],true,2,[1,2]])
//@ call text [] = "1,2,,3"
//@ call made [] = object([0,2,4])
//@ call typed [] = object([[3,2,1],[2,4],6])
export function f() {
  const a = [3, 1, 2];
  return [[...a].sort(), [...a].sort((x, y) => y - x), [...a].sort().join('-'), [1, 2, 3].map((x) => x * 2), [1, 2, 3].filter((x) => x === 2),
    a.reduce((x, y) => x + y), [1, 2].concat([3, 4]), [1, [2, [3, [4]]]].flat(2), new Array(2).fill(0), [1, 2, 3].toSpliced(1, 2, 9), [...['a'].entries()],
    a.includes(1), a.indexOf(2), Array.from(new Set([1, 2, 1]))];
}
export function text() { return String([1, [2, null], 3]) }
export function made() { return Array.from({ length: 3 }, (_, i) => i * 2) }
export function typed() { const t = Uint8Array.from([3, 1, 2]); return [Array.from(t.sort().reverse()), Array.from(new Uint8Array([1, 2]).map((x) => x * 2)), t.reduce((a, b) => a + b, 0)] }

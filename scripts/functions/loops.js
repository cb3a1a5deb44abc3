// Every form of loop, with labels, break and continue.
//@ call f [] = object([10,10,10,6,"abc",5,7,3])
export function f() {
  let a = 0, b = 0, c = 0, d = 0, e = '', g = 0, h = 0, k = 0;
  for (let i = 0; i < 5; i++) a += i;
  let i = 0;
  while (i < 5) b += i++;
  i = 0;
  do c += i; while (++i < 5);
  for (const x of [1, 2, 3]) d += x;
  for (const x in { a: 1, b: 2, c: 3 }) e += x;
  outer: for (let x = 0; x < 3; x++) { for (let y = 0; y < 3; y++) { if (y === 2) continue outer; if (x === 2 && y === 1) break outer; g++ } }
  for (;;) if (++h > 6) break;
  for (let x = 0; x < 3; k++, x++);
  return [a, b, c, d, e, g, h, k];
}

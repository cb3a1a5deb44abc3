package wasm

import "testing"

// objects is a library of arrays, maps, sets and objects that must compile.
const objects = `
export function words(n) {
  const list = ['b', 'a'];
  for (let i = 0; i < n; i++) list.push('w' + i);
  list.sort();
  return { list, first: list[0], has: list.includes('w1'), at: list.indexOf('w2'), joined: list.join('-'), last: list.at(-1) };
}
export function matrix(n) {
  const m = [];
  for (let i = 0; i < n; i++) { const row = []; for (let j = 0; j < n; j++) row.push(i * j); m.push(row) }
  let trace = 0;
  for (let i = 0; i < n; i++) trace += m[i][i];
  return { m, trace };
}
export function flags(n) {
  const seen = [];
  for (let i = 0; i < n; i++) seen.push(i % 3 === 0);
  seen.push(null); seen.push(undefined);
  return { seen, count: seen.filter((x) => x).length, none: seen.every(x => x === false) };
}
export function people(n) {
  const list = [];
  for (let i = 0; i < n; i++) list.push({ id: i, name: 'p' + i, score: (i * 37) % 11 });
  for (const p of list) p.score += 1;
  list.sort((a, b) => b.score - a.score || a.id - b.id);
  const best = list.find((p) => p.score > 5);
  return { list, best, name: best?.name, names: list.map((p) => p.name), total: list.reduce((a, p) => a + p.score, 0) };
}
function point(x, y) { return { x, y } }
function add(a, b) { return { x: a.x + b.x, y: a.y + b.y } }
export function points(n) {
  let p = point(0, 0);
  for (let i = 0; i < n; i++) p = add(p, point(i, -i));
  p.x *= 2; p.y++;
  return p;
}
export function edits(n) {
  const a = [1, 2, 3, 4, 5, n];
  const b = a.slice(1, 4), c = a.splice(1, 2), d = b.concat(c, [9]);
  a.unshift(7, 8); d.reverse();
  const first = a.shift(), last = a.pop();
  a.splice(1, 0, 100, 101);
  return { a, b, c, d, first, last, joined: a.join(), rest: d.lastIndexOf(3), filled: [1, 2, 3].fill(n) };
}
export function spreads(n) {
  const a = [1, n], b = [...a, 5, ...a], v = new Uint8Array([3, 4]);
  b.push(...v);
  return [...b, ...v, 0];
}
export function grouped(n) {
  const groups = new Map();
  for (let i = 0; i < n; i++) {
    const k = i % 4, g = groups.get(k);
    if (g === undefined) groups.set(k, [i]); else g.push(i);
  }
  groups.delete(2);
  let sum = 0;
  groups.forEach((g, k) => { sum += g.length * 10 + k });
  return { size: groups.size, sum, has: groups.has(2), one: groups.get(1), again: groups.delete(2) };
}
export function deleted(n) {
  const s = new Set();
  for (let i = 0; i < n; i++) s.add(i);
  for (const x of s) { if (x % 2 === 0) s.delete(x); if (x < 3) s.add(x + 100) }
  let sum = 0;
  for (const x of s) sum += x;
  s.forEach((x) => { sum += x });
  const size = s.size;
  s.clear();
  return { sum, size, after: s.size, has: s.has(1), again: s.add(1).size };
}
export function records(n) {
  const m = new Map();
  for (let i = 0; i < n; i++) m.set(i * 7 % 5, { n: i, tags: ['t' + i] });
  return m.get(1) ?? { n: -1, tags: [] };
}
export function views(n) {
  const v = new Int16Array([5, 3, 9, n]);
  const doubled = v.map((x) => x * 2);
  v.sort((a, b) => b - a);
  return { max: v[0], last: v.lastIndexOf(3), sum: doubled.reduceRight((a, x) => a * 3 + x, 0), at: v.findLastIndex((x) => x > 4), low: v.findLast((x) => x < 5) };
}
export function maybe(n) { return n > 3 ? { big: n } : null }
export function nilOrList(n) { if (n < 0) return null; if (n === 0) return; return [n, 'x'.length] }
export function byText(n) { const a = [10, 9, 1, n, 100, -1]; a.sort(); return a }
export function manySorted(n) {
  const a = [];
  let x = n;
  for (let i = 0; i < 150; i++) { x = (x * 1103515245 + 12345) % 2147483648; a.push({ k: x % 17, i }) }
  let calls = 0;
  a.sort((p, q) => { calls++; return p.k - q.k });
  return [calls, ...a.map((p) => p.k * 1000 + p.i)];
}
export function replaced(n) { const o = { a: 1, b: { c: 'x' } }; o.b = { c: 'y' + n }; const p = { ...o, a: n }; return { o, p } }
export function unknown(n) { const o = { a: n }; return o.b === undefined ? (o.b ?? 'none') : 'some' }
export function changing(n) {
  const a = [1, 2, 3, 4];
  let t = 0;
  a.forEach((x, i) => { t += x; if (i < n) a.push(x * 2) });
  return { t, a };
}
`

func TestObjectsOnBothTiers(t *testing.T) { compareFeatures(t, objects, false) }

// compareFeatures calls every function of a library with several arguments.
func compareFeatures(t *testing.T, source string, refusals bool) {
	b := newTiers(t, source)
	b.limits.Fuel = 50_000
	_, names := blank(source)
	for _, name := range names {
		for _, n := range []int64{0, 1, 2, 3, 5, 9, 40, -3} {
			b.Call(name, ints(n))
		}
	}
	for name, why := range b.refusals {
		t.Logf("%s: %s", name, why)
	}
	t.Logf("%d calls ran compiled, %d did not", b.ran[1], b.ran[0])
	if len(b.refusals) > 0 && !refusals {
		t.Errorf("%d functions are refused", len(b.refusals))
	}
}

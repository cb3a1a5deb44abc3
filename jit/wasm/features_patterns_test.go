package wasm

import "testing"

// patterns is a library of destructuring, rest and function values.
const patterns = `
export const twice = (x) => x * 2;
export const thrice = function (x) { return x * 3 };
const described = ({ a, b: [c, d = 4], ...rest } = { a: 1, b: [2] }) => ({ a, c, d, rest });
export function describes(n) { return [described(), described({ a: n, b: [n, 2, 3] })] }
const pick = ([x, y], { k = 5 }) => x * 100 + y * 10 + k;
export function picks(n) { return pick([n, 2], {}) + pick([1, n], { k: n }) }
export function swap(n) { let a = n, b = 'x'.length; [a, b] = [b, a]; [a] = [a + 1, 9]; return a * 10 + b }
export function fields(n) {
  const o = { x: n, y: { z: [n, n + 1] }, s: 'text' };
  const { x, y: { z: [p, q, r = 7] }, s, none = 'none', ...more } = o;
  let k;
  ({ x: k } = o);
  return { x, p, q, r, s, none, more, k };
}
export function rests(n) {
  const list = [];
  for (let i = 0; i < n; i++) list.push(i);
  const [a, b = -1, ...c] = list, [, second] = list;
  return { a, b, c, second };
}
export function counted(...args) { let t = args.length; for (const x of args) t += x; return t }
function total(first, ...others) { return others.reduce((a, x) => a + x, first) }
export function totals(n) { return total(n) * 10000 + total(n, 1, 2) + total(1, n) }
export function entries(n) {
  const m = new Map();
  for (let i = 0; i < n; i++) m.set(i * 3, { v: i });
  const out = [];
  for (const [k, { v }] of m) out.push(k * 10 + v);
  for (const k of m.keys()) out.push(k);
  for (const { v } of m.values()) out.push(v);
  for (const [i, x] of out.entries()) if (i > 3) break; else out[i] = x + 1;
  return out;
}
export function pairs(n) {
  let t = 0;
  const list = [];
  for (let i = 0; i < n; i++) list.push([i, i * 2]);
  for (const [a, b] of list) t += a * b;
  let a;
  for ([a] of list) t += a;
  return t + list.map(([a, b]) => a + b).reduce((x, y) => x + y, 0);
}
export function closures(n) {
  let count = 0, best = { id: -1, score: 0 };
  const see = (id, score) => { count++; if (score > best.score) best = { id, score } };
  for (let i = 0; i < n; i++) see(i, (i * 7) % 5);
  const { id } = best;
  return { count, id, best };
}
export function chained(n) {
  const o = n > 2 ? { a: { b: [n, 'x'.length] } } : null;
  return { a: o?.a.b[0], b: o?.a.b.length ?? -1, c: o?.a?.b?.map((x) => x + 1)?.[1] };
}
`

func TestPatternsOnBothTiers(t *testing.T) { compareFeatures(t, patterns, false) }

package wasm

import "testing"

// lists is a library of the ways to make arrays.
const lists = `
export function from(n) {
  const a = Array.from({ length: n & 7 }, (_, i) => i * 2), b = Array.from(new Uint8Array([1, 2, 3, 4, 5])), c = Array.from(a, (x, i) => x + i);
  return { a, b, c, d: Array.from(new Set([3, 3, n])), e: Array.isArray(a), f: Array.isArray(n) };
}
export function filled(n) { const a = new Array(n & 15).fill(n); a[0] = 7; const b = new Array(); b.push('x'); return { a, b, t: a.reduce((x, y) => x + y, 0) } }
export function grid(n) { const g = Array.from({ length: 3 }, () => new Array(4).fill(0)); g[1][2] = n; g[2][n & 3] += 5; return g }
export function typed(n) { const a = [n, 1.5, -2, 300]; return [...new Uint8Array(a), ...new Float64Array(new Int8Array(a))] }
export function extremes(n) { const a = [n, 3, -1]; return [Math.max(...a), Math.min(...a), Math.max(...new Uint8Array(a)), Math.min(...[])] }
export function sets(n) { const s = new Set([n, 1, n, 2]), t = new Set(new Uint8Array([4, 4, 5])), u = new Set(s); return [s.size, t.size, u.size, ...s, ...t, ...u] }
export function huge(n) {
  let text = 'x'.repeat(1000), total = 0;
  const all = [];
  for (let i = 0; i < n * 20; i++) { text = text + 'y'; all.push(text.length) }
  for (const x of all) total += x;
  const big = new Float64Array(n > 0 ? n * 9000 : 1);
  big[big.length - 1] = total;
  return big[big.length - 1];
}
`

func TestListsOnBothTiers(t *testing.T) { compareFeatures(t, lists, false) }

package wasm

import (
	"fmt"
	"testing"

	"shredder/pktproc/wire"
	"shredder/store"
)

// features is a library whose every function must compile and mean what tier 0
// means.
const features = `
const LIMIT = 5, NAME = 'limit', RATE = 0.25;
function square(x) { return x * x }
function clamp(x, lo = 0, hi = LIMIT) { return x < lo ? lo : x > hi ? hi : x }
export function constants(n) { return n * RATE + LIMIT + NAME.length }
export function defaults(n) { return clamp(n) * 100 + clamp(n, 2) * 10 + clamp(n, undefined, 3) }
export function inner(n) {
  const twice = (x) => x * 2;
  function thrice(x) { return twice(x) + x }
  let total = 0;
  for (let i = 0; i < n; i++) total += thrice(i);
  return total;
}
export function numbersPushed(n) {
  const list = [];
  for (let i = 0; i < n; i++) list.push(i * i - 3);
  return list;
}
export function stack(n) {
  const list = [1.5, -2];
  for (let i = 0; i < n; i++) list.push(i);
  let total = 0;
  while (list.length > 1) total += list.pop();
  list[0] = total;
  list[1] = list[0] / 2;
  return list;
}
export function sums(n) {
  const list = [3, 1, 2];
  list.push(n);
  return { total: list.reduce((a, x) => a + x, 0), some: list.some((x) => x > 2), every: list.every((x) => x > 2),
    at: list.indexOf(2), has: list.includes(n), found: list.find((x) => x < 2), where: list.findIndex(x => x === n) };
}
export function viewSums(key) {
  const v = store.u16(key);
  if (!v) return null;
  let squares = 0;
  v.forEach((x, i) => { squares += x * x + i });
  return { n: v.length, squares, total: v.reduce((a, x) => a + x, 0), big: v.find(x => x > 300), at: v.findIndex(x => x > 300),
    any: v.some((x) => x === 7), all: v.every(square), has: v.includes(256) };
}
export function distinct(key) {
  const seen = new Set();
  for (const x of store.u8(key) ?? new Uint8Array(0)) { seen.add(x); seen.add(x % 3) }
  let total = 0;
  for (const x of seen) total += x;
  return { size: seen.size, total, zero: seen.has(0), half: seen.has(0.5) };
}
export function manyDistinct(n) {
  const seen = new Set();
  for (let i = 0; i < n; i++) seen.add((i * 7919) % 1009 - 500);
  return seen.size;
}
export function mapped(key) {
  const counts = new Map(), where = new Map();
  const v = store.u8(key);
  if (v === undefined) return [];
  v.forEach((x, i) => { counts.set(x % 37, (counts.get(x % 37) ?? 0) + 1); where.set(x, i) });
  let total = 0;
  for (const x of v) total += (counts.get(x % 37) ?? -1) * (where.get(x) ?? 100);
  return { size: counts.size, total, none: counts.get(0.5), has: where.has(7), again: where.set(7, 1).get(7) };
}
export function recordFields(n) {
  const r = { a: n, b: 'text', c: n > 3, d: undefined, e: null, f: n / 3 };
  r.a += 2; r.a++;
  r.c = !r.c;
  return r;
}
export function nested(n) { return { a: [n, n + 1, { b: 'x"y', c: [] }], z: -n } }
export function labels(n) {
  let count = 0;
  outer: for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      if (j === 3) continue outer;
      if (i * j > 8) break outer;
      count += i * 10 + j;
    }
  }
  block: { if (count > 5) break block; count = -1 }
  return count;
}
export function choose(n) {
  switch (n) {
    case 0: return 'zero';
    case 1: case 2: { const s = 'few'; return s + n }
    default: return n < 0 ? 'negative' : 'many';
    case 7: break;
  }
  return 'seven';
}
export function words(key) {
  const text = store.text(key);
  if (text === undefined) return 'nothing';
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) | 0;
  return text + ':' + hash + (text < 'm' ? '<' : '>=') + ` + "`${text.length / 4} ${hash > 0}`" + `;
}
export function optional(key) { return (store.u8(key)?.length ?? -1) * 10 + (store.u8(key)?.[1] ?? 9) }
export function histogram(key) {
  const v = store.get(key) ?? new Uint8Array(0), counts = new Uint32Array(4);
  for (const x of v) counts[x & 3]++;
  return counts;
}
export function written(key) {
  const v = store.u8(key), w = store.u8(key);
  if (v === undefined || w === undefined) return undefined;
  v[0] = 99; v[100] = 1;
  return v[0] * 1000 + w[0] + store.u8At(key, 0);
}
export function bits(n) { return [n & 6, n | 9, n ^ 5, n << 3, n >> 1, n >>> 1, ~n, -n | 0] }
export function maths(x) {
  return [Math.abs(x), Math.floor(x), Math.ceil(x), Math.trunc(x), Math.round(x), Math.sign(x), Math.sqrt(x), Math.min(x, 2, 7), Math.max(x, 1)];
}
export function logs(x) { return [Math.exp(x), Math.log(x), Math.sin(x), Math.cos(x), Math.tan(x), Math.pow(x, 1.5), Math.atan2(x, 2), Math.cbrt(x), Math.log2(x), Math.fround(x), Math.imul(x, 77), Math.clz32(x)] }
export function random(n) { let t = 0; for (let i = 0; i < n; i++) t += Math.random(); return t }
export function counters(key) {
  const a = store.incr(key), b = store.incr(key, 10);
  store.set('sum:' + key, a + b, { ttl: 5000 });
  const ok = store.set('once', 1, { ifVersion: 0 });
  return { a, b, text: store.text('sum:' + key), ok: ok !== false, gone: store.delete('none'), size: store.size(key), has: store.has('once') };
}
const WEIGHTS = new Float64Array([0.5, -1.25, 3]), PRIMES = new Uint16Array([2, 3, 5, 7, 11, 13]);
export function tables(n) { return WEIGHTS[n & 1] * PRIMES[n & 3] + PRIMES.length + WEIGHTS.reduce((a, x) => a + x, 0) }
export function sorted(key) { const v = store.i16(key); if (!v) return null; v.sort(); return v }
export function sortedFloats(n) { const v = new Float64Array([n, -0, 0, NaN, -1.5, 1e9, -n]); v.sort(); return v }
export function sections(key) {
  const v = store.get(key);
  if (v === undefined) return -1;
  const a = v.slice(1, 3), b = v.slice(-2), c = v.subarray(1), d = v.slice(5, 2);
  return a.length * 1000 + b.length * 100 + c.length * 10 + d.length + (a.length > 0 ? a[0] : 0) + (c.length > 1 ? c[1] : 0);
}
export function cuts(key) {
  const v = store.get(key);
  if (v === undefined || v.length < 4) return -1;
  const a = v.slice(1, 3), b = v.slice(1, 3), c = PRIMES.slice(1, 4), d = a.slice(1);
  b[0] = 99;
  c[0] += 5;
  store.set('cut', a);
  const e = (store.get('cut') ?? v).slice(0, 2);
  store.set('cut', b);
  store.set(key, 'other');
  return [v[1], a[0], a[1], b[0], b[1], c[0], PRIMES[1], d[0], e[0], e[1], (store.get('cut') ?? v).slice()[0]];
}
export function cutThenWritten(key) {
  const v = store.u16(key);
  if (v === undefined || v.length < 2) return -1;
  const a = v.slice(0, 2);
  v[0] = 513;
  return [a[0], v[0], store.u16At(key, 0)];
}
export function joined(key) {
  const v = store.u8(key) ?? new Uint8Array(0), out = new Uint8Array(v.length + 3);
  out.fill(7);
  out.set(v, 2);
  out.subarray(1)[0] = 9;
  store.set('joined', out);
  return out;
}
export function chatty(n) {
  for (let i = 0; i < n; i++) console.log('turn', i, i / 2, i > 1, undefined, null);
  console.warn(); console.error('a line that is longer than sixty-four bytes, so that it burns one more unit of fuel', n);
  if (n > 2) throw new Error('enough');
}
export function parsed(n) {
  let total = 0;
  for (let i = 0; i < 9; i++) { const x = Number(store.text('num' + i) ?? n); if (x === x) total += x; else total -= 1 }
  return total + (Number(store.text('none')) === 0 ? 5 : 0);
}
export function characters(key) { const t = store.text(key); return t === undefined ? t : t[0] + (t[1] ?? '?') + (t[1000] ?? '!') }
export function fractional(n) { return new Uint8Array(Math.abs(n) % 100 / 3) }
export function thrower(n) { if (n > 3) throw new RangeError('too big: ' + n); if (n < 0) throw 'negative'; return n }
export function divide(a) { return Math.floor(a / 3) * 100 + a % 3 }
export function assignments(n) { let a = n, b = 0; b = a += 2; a &&= 7; b ||= 3; let c = undefined; c ??= 4; a **= 2; return a * 100 + b * 10 + c }
`

func TestFeaturesOnBothTiers(t *testing.T) {
	source := features
	b := newTiers(t, source)
	b.limits.Fuel = 20_000
	b.Set(store.IntKey(1), []byte{7, 0, 44, 1, 0, 1, 7, 0})
	b.Set(store.IntKey(2), []byte{})
	b.Set(store.IntKey(3), []byte("hello"))
	b.Set(store.BytesKey([]byte("n")), []byte("41"))
	for n, text := range []string{"12", " -3.5e2 ", "0x1f", "", "1_0", "Infinity", ".5", "5.", "nan"} {
		b.Set(store.BytesKey(fmt.Append(nil, "num", n)), []byte(text))
	}
	long := make([]byte, 400)
	for i := range long {
		long[i] = byte('a' + i*i%26)
	}
	b.Set(store.IntKey(4), long)
	_, names := blank(source)
	arguments := [][]byte{ints(0), ints(1), ints(2), ints(3), ints(4), ints(7), ints(40), ints(-3), ints(maxSafe),
		wire.AppendDouble(nil, 2.5), wire.AppendDouble(nil, -0.5), wire.AppendString(nil, "n")}
	for _, name := range names {
		for _, args := range arguments {
			if name == "counters" && args[0] != wire.TagString || args[0] == wire.TagString && name != "words" && name != "counters" {
				continue
			}
			b.Call(name, args)
		}
	}
	for name, why := range b.refusals {
		t.Logf("%s: %s", name, why)
	}
	t.Logf("%d calls ran compiled, %d did not", b.ran[1], b.ran[0])
	if len(b.refusals) > 0 {
		t.Errorf("%d functions are refused", len(b.refusals))
	}
}

// TestChoiceOfDoublesUnderPressure: a double that lies in memory, not in a register,
// beside one that is chosen instead of it (see choose in jit/compile).
func TestChoiceOfDoublesUnderPressure(t *testing.T) {
	b := newTiers(t, `
export function f(p, q) {
  let v = Math.atan2(p) && q;
  const l = [+1, 7.5];
  return { a: p, b: [q < 3 ? v : q, store.has('k' + v % 4294967296 & 7)], c: { d: 1 } };
}`)
	b.Call("f", append(wire.AppendDouble(nil, 1924.083403143992), ints(3376929258982900)...))
	if b.ran[1] != 1 {
		t.Errorf("refused: %v", b.refusals)
	}
}

package wasm

import (
	"testing"

	"shredder/pktproc/wire"
	"shredder/store"
)

// storeFeatures use the store with keys, values and options of every type.
const storeFeatures = `
const KEYS = new Uint32Array([1, 2, 3, 99]), SMALL = new Uint8Array([1, 2, 250]), SIGNED = new Int32Array([-1, 2, 1]), FLOATS = new Float64Array([0.5, 2, -0]);
export function read(k) { const v = store.get(k); return v === undefined ? null : v.length + v[0] }
export function readAll(k) { return [store.has(k), store.size(k) ?? -1, store.version(k) > 0, store.text(k) ?? 'none', store.u8At(k, 0) ?? -1] }
export function negative(n) { return [store.has(-n - 5), store.set(-n - 5, n) > 0, store.text(-n - 5) ?? '', store.delete(-n - 5)] }
export function half(n) { const k = n * 0.5 + 0.25; return [store.has(k), store.set(k, k) > 0, store.text(k) ?? '', store.incr('i' + k), store.version(k) > 0, store.delete(k)] }
export function viewKey(n) { const k = new Uint16Array([n & 255, 300]); store.set(k, 'by bytes'); return [store.text(k) ?? '', store.has(new Uint8Array([n & 255, 0, 44, 1]))] }
export function badKey(n) { const k = n > 3 ? 1 : undefined; return store.has(k) }
export function badKeyToo(n) { return store.u8(n > 3) }
export function badKeyAgain(n) { return store.delete(null) }
export function lateKey(n) { const k = n > 3 ? 'x' : undefined; store.set(k, n); return 1 }
export function badValue(n) { store.set('v', n > 3 ? n : undefined); return store.text('v') ?? '' }
export function badValueToo(n) { store.set('v', true) }
export function badText(n) { const t = store.text(n); store.set('t', t); return 1 }
export function options(n) { return [store.set('o', n, { ttl: n * 1.5 }) !== false, store.set('o', 1, { ifVersion: n > 3 ? undefined : 0 }) !== false, store.delete('o', { ifVersion: n / 2 })] }
export function noTTL(n) { store.set('o', n, { ttl: 'long' }) }
export function counted(n) { return [store.incr('c', n), store.incr('c', n > 3 ? 2 : undefined), store.incr('c', n / 2)] }
export function lengths(n) { return store.lengths(KEYS) }
export function lengthsOf(n) { return store.lengths(n) }
export function sums(n) {
  return [store.sumLengths('u8', KEYS), store.sumLengths('u16', SMALL), store.sumLengths('u32', 2), store.sumLengths('f64', 'list'), store.sum('u8', KEYS), store.sum('u8', SIGNED, 1),
    store.sum('i16', FLOATS, n & 3), store.sum('u32', 'list', 0), store.sumLengths('u8', SIGNED), store.sumLengths('u8', FLOATS), store.sum('f32', 'none')];
}
export function gathered(n) { return store.gather('u8', KEYS, n & 3) }
export function gatheredToo(n) { return store.gather('u16', 'list') }
export function joined(n) { const v = store.concat('u8', KEYS); v[0] = n & 255; return v }
export function joinedWords(n) { return store.concat('u16', n > 3 ? 1 : 2).length }
export function joinedOdd(n) { return store.concat('u16', KEYS) }
export function badIndex(n) { return store.sum('u8', KEYS, n) }
export function oddList(n) { return store.sumLengths('u8', 'odd') }
export function afterWrites(n) { store.set(3, 'fresh'); store.delete(1); return store.sumLengths('u8', KEYS) * 100 + store.sum('u8', KEYS, 0) }
export function scanned(n) {
  let cursor = 0, count = 0, numbers = 0, bytes = 0;
  do {
    const page = store.scan(cursor, 2);
    for (const k of page.keys) { count++; if (typeof k === 'number') numbers++; bytes += store.size(k) ?? 0 }
    cursor = page.cursor;
  } while (cursor !== '0');
  return [count, numbers, bytes];
}
export function scannedAll(n) { store.set('new' + n, n); return store.scan() }
export function badLimit(n) { return store.scan(0, n) }
export function badCursor(n) { return store.scan('x' + n).keys.length }
export function clock(n) { return Date.now() - request.now + n }
export function hypots(n) { return [Math.hypot(n, 4), Math.hypot(), Math.hypot(NaN, Infinity), Math.hypot(n, NaN), Math.hypot(-n, n / 3, 1e200), Math.hypot(0, -0)] }
`

func TestStoreOnBothTiers(t *testing.T) {
	arguments := [][]byte{ints(0), ints(1), ints(2), ints(3), ints(4), ints(7), ints(-3), ints(1 << 40),
		wire.AppendDouble(nil, 2.5), wire.AppendDouble(nil, -0.5), wire.AppendDouble(nil, 3), wire.AppendNull(nil), wire.AppendBool(nil, true), wire.AppendString(nil, "list"), wire.AppendString(nil, "é"), wire.AppendString(nil, "")}
	_, names := blank(storeFeatures)
	for _, fuel := range []int64{100_000, 40, 9} {
		b := newTiers(t, storeFeatures)
		b.limits.Fuel = fuel
		b.Set(store.IntKey(1), []byte{7, 0, 44, 1, 0, 1, 7, 0})
		b.Set(store.IntKey(2), []byte{})
		b.Set(store.IntKey(3), []byte("hello"))
		b.Set(store.BytesKey([]byte("list")), []byte{1, 0, 0, 0, 3, 0, 0, 0, 200, 0, 0, 0, 2, 0, 0, 0})
		b.Set(store.BytesKey([]byte("odd")), []byte{1, 2, 3})
		b.Set(store.BytesKey([]byte("é")), []byte("é"))
		b.Set(store.BytesKey([]byte("0.5")), []byte("half"))
		for _, name := range names {
			for _, args := range arguments {
				b.Call(name, args)
				if t.Failed() {
					t.Fatalf("%s(%x)", name, args)
				}
			}
		}
		for name, why := range b.refusals {
			t.Logf("%s: %s", name, why)
		}
		t.Logf("%d calls ran compiled, %d did not", b.ran[1], b.ran[0])
		if b.ran[1] < 7*b.ran[0] {
			t.Errorf("%d functions are refused", len(b.refusals))
		}
	}
}

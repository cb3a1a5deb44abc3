package wasm

import (
	"testing"

	"shredder/store"
)

// buffers is a library of ArrayBuffers, DataViews and views over them.
const buffers = `
export function scratch(n) {
  const b = new ArrayBuffer(32), d = new DataView(b), u = new Uint8Array(b), w = new Uint16Array(b, 8, 2);
  d.setUint8(0, n); d.setInt16(2, -n); d.setUint16(4, n * 300, true); d.setInt32(8, n * 100000); d.setUint32(12, -1, true);
  d.setFloat32(16, n / 3); d.setFloat64(24, n / 7);
  const out = [b.byteLength, d.byteLength, w[0], w[1], d.getInt8(3), d.getInt16(2), d.getUint16(2, true), d.getInt32(8), d.getUint32(8, true), d.getFloat32(16), d.getFloat64(24), d.getFloat64(24, true)];
  d.setFloat64(16, n, true); d.setFloat32(24, n + 0.5, true);
  for (const x of u) out.push(x);
  out.push(d.getFloat32(24, true), d.getFloat64(16, true), typeof d === 'object' ? 1 : 0);
  return out;
}
export function header(n) {
  const v = store.u8('record');
  const d = new DataView(v.buffer);
  return [d.getUint16(0), d.getInt32(2), d.getFloat32(6), d.byteLength, v.byteOffset];
}
export function patched(n) {
  const v = store.u8('record'), d = new DataView(v.buffer, 2, 6);
  d.setInt16(0, n); d.setUint8(5, 255);
  store.set('copy', v);
  return v;
}
export function parts(n) { const b = new ArrayBuffer(8); new Uint8Array(b, 2)[1] = n; const c = b.slice(1, 5); return new Uint8Array(c) }
export function whole(n) { const f = new Float64Array([n]); return new Uint8Array(f.buffer) }
export function beyond(n) { const d = new DataView(new ArrayBuffer(8)); try { return d.getUint32(n + 3) } catch (e) { return e.name } }
`

func TestBuffersOnBothTiers(t *testing.T) {
	b := newTiers(t, buffers)
	b.Set(store.BytesKey([]byte("record")), []byte{1, 2, 255, 254, 3, 4, 64, 73, 15, 219, 9, 9})
	_, names := blank(buffers)
	for _, name := range names {
		for _, n := range []int64{0, 1, 3, 5, 200, -3, 70000} {
			b.Call(name, ints(n))
		}
	}
	for name, why := range b.refusals {
		t.Errorf("%s: %s", name, why)
	}
	t.Logf("%d calls ran compiled, %d did not", b.ran[1], b.ran[0])
}

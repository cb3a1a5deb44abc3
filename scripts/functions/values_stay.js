// A value read stays what it was, whatever the call writes later.
//@ set 1 u32[10,20]
//@ call before_after [1] = object([10,20,7])
//@ store 1 = u32[7]
export function before_after(k) {
  const a = store.u32(k);
  store.set(k, new Uint32Array([7]));
  return [a[0], a[1], store.u32At(k, 0)];
}

// Writing to a view changes that array only.
//@ set 1 u32[10,20]
//@ call scribble [1] = object([99,10])
//@ store 1 = u32[10,20]
export function scribble(k) {
  const a = store.u32(k);
  a[0] = 99;
  return [a[0], store.u32(k)[0]];
}

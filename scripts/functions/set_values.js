//@ call put [] = true
//@ store "s" = "hé"
//@ store "lone" = "a\ufffd"
//@ store "n" = "-1.5"
//@ store "i" = "42"
//@ store "b" = "123456789012345678901234567890"
//@ store "bytes" = hex(0102)
//@ store "words" = u16[1,2]
//@ store "part" = hex(0203)
//@ store "view" = hex(02)
//@ call bad [] = object(["TypeError","TypeError","TypeError","TypeError","TypeError","TypeError"])
export function put() {
  store.set('s', 'hé'); store.set('lone', 'a\uD800'); store.set('n', -1.5); store.set('i', 42);
  store.set('b', 123456789012345678901234567890n); store.set('bytes', new Uint8Array([1, 2]).buffer);
  store.set('words', new Uint16Array([1, 2])); store.set('part', new Uint8Array([1, 2, 3]).subarray(1));
  store.set('view', new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1));
  return true;
}
export function bad() {
  return [{}, [], null, undefined, true, () => 1].map((v) => { try { store.set('x', v) } catch (e) { return e.name } });
}

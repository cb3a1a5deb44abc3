//@ call push ["a"] = 1
//@ call push ["b"] = 2
//@ call pop [] = "a"
//@ call pop [] = "b"
//@ call pop [] = null
//@ store "q:0" = missing
export function push(v) { const n = Number(store.text('tail') ?? 0); store.set(`q:${n}`, v); store.set('tail', n + 1); return n + 1 }
export function pop() {
  const h = Number(store.text('head') ?? 0), v = store.text(`q:${h}`);
  if (v === undefined) return null;
  store.delete(`q:${h}`); store.set('head', h + 1);
  return v;
}

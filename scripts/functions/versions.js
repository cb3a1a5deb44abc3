//@ call create ["k"] = true
//@ call create ["k"] = false
//@ store "k" = "new"
//@ call replace ["k", "two"] = true
//@ store "k" = "two"
//@ call stale ["k"] = false
//@ store "k" = "two"
//@ call version ["none"] = 0
//@ call drop ["k"] = object([false,true,0])
//@ store "k" = missing
export function create(k) { return store.set(k, 'new', { ifVersion: 0 }) !== false }
export function replace(k, v) { return store.set(k, v, { ifVersion: store.version(k) }) !== false }
export function stale(k) { return store.set(k, 'never', { ifVersion: store.version(k) + 1 }) }
export function version(k) { return store.version(k) }
export function drop(k) {
  const first = store.delete(k, { ifVersion: 9999999 });
  return [first, store.delete(k), store.version(k)];
}

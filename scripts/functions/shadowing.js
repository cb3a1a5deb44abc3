// A library may use the builtins' names for its own.
//@ set 1 "real"
//@ call local [1] = "own"
//@ call real [1] = "real"
//@ call value [1] = "real"
export function local(k) { const store = { text: () => 'own' }; return store.text(k) }
export function real(k) { return outer(k) }
export function value(k) { const s = outerStore; return s.text(k) }
const outerStore = store, outer = (k) => outerStore.text(k);

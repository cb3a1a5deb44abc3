//@ set 1 "old"
//@ call f [] = throws "Error: no" 6:9
//@ store 1 = "old"
//@ store 2 = missing
export function f() { store.set(1, 'new'); store.set(2, 'x');
  throw new Error('no');
}

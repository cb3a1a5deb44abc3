// A call sees its own writes; they are applied when it returns.
//@ set 1 "old"
//@ call f [] = object(["old","new",null,true,false,"again"])
//@ store 1 = "again"
export function f() {
  const seen = [store.text(1)];
  store.set(1, 'new'); seen.push(store.text(1));
  store.delete(1); seen.push(store.text(1) === undefined ? null : 'there');
  seen.push(store.version(1) === 0, store.has(1));
  store.set(1, 'again'); seen.push(store.text(1));
  return seen;
}

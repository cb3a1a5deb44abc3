//@ set 1 u32[1,2,3]
//@ set 2 u32[4]
//@ set "k" u32[5,6]
//@ call lengths [] = object([12,4,-1])
//@ call total [] = 4
//@ call many [] = object([[1,0,0,0],null,[5,0,0,0]])
//@ call gather [] = object([1,4,null])
//@ call second [] = 8
//@ call mixed [] = 3
//@ call stored [1] = object([7,[4,-1],0,10])
//@ call stored [77] = object([0,[],0,0])
//@ call concat [] = object([1,2,3,4,5,6])
//@ call hops [1, 2] = 4
//@ call hops [77, 1] = 0
//@ call ragged [] = "RangeError"
//@ call bad [] = object(["TypeError","TypeError","TypeError"])
const ids = new Uint32Array([1, 2, 9]);
export function lengths() { return Array.from(store.lengths(ids)) }
export function total() { return store.sumLengths('u32', ids) }
export function many() { return store.getMany([1, 9, 'k']).map((v) => v ? Array.from(v.subarray(0, 4)) : null) }
export function gather() { return Array.from(store.gather('u32', [1, 2, 3], 0)) }
export function second() { return store.sum('u32', [1, 2, 'k'], 1) }
export function stored(k) { return [store.sumLengths('u32', k) + 3 * store.has(k), Array.from(store.lengths(k)).slice(1), 0, store.sum('u32', k, 0) + 5 * store.has(k)] }
export function mixed() { return store.sumLengths('u32', ['k', '2']) }
export function concat() { return Array.from(store.concat('u32', [1, 9, '2', 'k'])) }
export function hops(id, depth) {
  let nodes = store.concat('u32', [id]);
  for (; depth > 1; depth--) nodes = store.concat('u32', nodes);
  return nodes.length;
}
export function ragged() { try { store.concat('f64', [2]) } catch (e) { return e.name } }
export function bad() { return [() => store.sum('u64', []), () => store.lengths(true), () => store.lengths({ length: 3 })].map((f) => { try { f() } catch (e) { return e.name } }) }

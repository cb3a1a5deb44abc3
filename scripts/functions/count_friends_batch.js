//@ set 0 u32[1,2,3]
//@ set 1 u32[0,2]
//@ set 2 u32[1]
//@ call countFriends [0, 1] = 3
//@ call countFriends [0, 2] = 6
//@ call countFriends [0, 3] = 12
export function countFriends(id, depth) {
  let n = 0;
  let nodes = [id];
  for (; depth > 1; depth--) {
    nodes = store.concat('u32', nodes);
    n += nodes.length;
  }
  return n + store.sumLengths('u32', nodes);
}

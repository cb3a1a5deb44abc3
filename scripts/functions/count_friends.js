// The paper's example: how many friends of friends … someone has.
//@ set 0 u32[1,2,3]
//@ set 1 u32[0,2]
//@ set 2 u32[1]
//@ call countFriends [0, 1] = 3
//@ call countFriends [0, 2] = 6
//@ call countFriends [0, 3] = 12
//@ call countFriends [9, 3] = 0
export function countFriends(id, depth) {
  const friends = store.u32(id);
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 1) return n;
  for (let i = 0; i < friends.length; i++) n += countFriends(friends[i], depth - 1);
  return n;
}

//@ set 0 u32[1,2,3]
//@ set 1 u32[0,2]
//@ set 2 u32[1]
//@ call countFriends [0, 1] = 3
//@ call countFriends [0, 2] = 6
//@ call countFriends [0, 3] = 12
export function countFriends(id, depth) {
  const friends = store.u32(id);
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 2) n += store.sumLengths('u32', friends);
  if (depth > 2) for (let i = 0; i < friends.length; i++) n += countFriends(friends[i], depth - 1);
  return n;
}

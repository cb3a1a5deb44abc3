//@ set 0 u32[1,2,3]
//@ set 1 u32[0,2]
//@ set 2 u32[1]
//@ call countFriends [0, 1] = 3
//@ call countFriends [0, 3] = 12
export function countFriends(id, depth) {
  const size = store.size(id);
  if (size === undefined) return 0;
  const count = size / 4;
  let n = count;
  if (depth === 1) return n;
  for (let i = 0; i < count; i++) n += countFriends(store.u32At(id, i), depth - 1);
  return n;
}

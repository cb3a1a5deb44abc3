// The demo library of `shredderd --dev`. Each exported function is callable.

// How many friends of friends, depth steps away, counted along every path. The value of a
// node's key is the little-endian uint32 numbers of its friends.
export function countFriends(id, depth) {
  const friends = store.u32(id);
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 1) return n;
  for (let i = 0; i < friends.length; i++) n += countFriends(friends[i], depth - 1);
  return n;
}

// Moves an amount from one counter to another: both change, or neither.
export function transfer(from, to, amount) {
  const left = store.incr(from, -amount);
  if (left < 0) throw new Error("not enough");
  store.incr(to, amount);
  return left;
}

// The first bytes of a value.
export function head(key, count) {
  const value = store.get(key);
  return value === undefined ? null : value.slice(0, count);
}

// What was given.
export function echo(value) {
  return value;
}

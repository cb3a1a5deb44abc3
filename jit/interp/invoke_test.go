package interp

import (
	"testing"

	"shredder/store"
)

const countFriends = `
export function countFriends(id, depth) {
  const friends = store.u32(id);
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 1) return n;
  for (let i = 0; i < friends.length; i++) n += countFriends(friends[i], depth - 1);
  return n;
}
export function scalar(id, depth) {
  const size = store.size(id);
  if (size === undefined) return 0;
  const count = size / 4;
  let n = count;
  if (depth === 1) return n;
  for (let i = 0; i < count; i++) n += scalar(store.u32At(id, i), depth - 1);
  return n;
}
export function batch(id, depth) {
  let n = 0;
  let nodes = [id];
  for (; depth > 1; depth--) {
    nodes = store.concat('u32', nodes);
    n += nodes.length;
  }
  return n + store.sumLengths('u32', nodes);
}
`

func TestCountFriends(t *testing.T) {
	b := newBed(t, countFriends)
	b.set(store.IntKey(0), u32s(1, 2, 3))
	b.set(store.IntKey(1), u32s(0, 2))
	b.set(store.IntKey(2), u32s(1))
	for _, f := range []string{"countFriends", "scalar", "batch"} {
		b.want("3", f, 0, 1)
		b.want("6", f, 0, 2)
		b.want("12", f, 0, 3)
		b.want("0", f, 9, 3)
	}
}

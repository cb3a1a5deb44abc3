// Two counters that always agree.
//@ call add [3] = 3
//@ call add [4] = 7
//@ store "a" = "7"
//@ store "b" = "7"
export function add(n) { store.incr('a', n); return store.incr('b', n) }

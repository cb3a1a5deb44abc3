//@ set "alice" "100"
//@ set "bob" "5"
//@ call transfer ["alice", "bob", 30] = object({"from":70,"to":35})
//@ store "alice" = "70"
//@ store "bob" = "35"
//@ call transfer ["bob", "alice", 36] = throws "Error: only 35 left" 13:25
//@ store "bob" = "35"
//@ store "alice" = "70"
export function transfer(from, to, amount) {
  const left = store.incr(from, -amount);
  const result = { from: left, to: store.incr(to, amount) };
  // Thrown after both writes: neither is applied.
  if (left < 0) { throw new Error(`only ${left + amount} left`) }
  return result;
}

//@ call up ["n"] = 1
//@ call up ["n", 10] = 11
//@ call up ["n", -20] = -9
//@ store "n" = "-9"
//@ set "t" "text"
//@ call name ["t"] = "TypeError"
//@ set "m" "9223372036854775807"
//@ call name ["m"] = "RangeError"
//@ store "m" = "9223372036854775807"
export function up(k, d) { return d === undefined ? store.incr(k) : store.incr(k, d) }
export function name(k) { try { return store.incr(k) } catch (e) { return e.name } }

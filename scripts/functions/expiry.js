// Expiry is judged by request.now, which stands still during a call.
//@ call put [] = object([true,"x"])
//@ store "short" = "x"
//@ call bad [0] = throws "RangeError: ttl is at least 1 ms" 7:44
//@ call bad [1.5] = throws "TypeError: ttl is a whole number from 0 to 2^53−1" 7:44
export function put() { return [store.set('short', 'x', { ttl: 60000 }) > 0, store.text('short')] }
export function bad(ttl) { return store.set('x', 1, { ttl }) }

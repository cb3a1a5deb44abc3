// A key that is the canonical decimal form of an integer is that integer.
//@ set 7 "seven"
//@ call text [7] = "seven"
//@ call text ["7"] = "seven"
//@ call text ["07"] = null
//@ call text [bytes(37)] = "seven"
//@ call put ["12", "x"] = true
//@ store 12 = "x"
//@ call put [-1, "minus"] = true
//@ store "-1" = "minus"
//@ call put [1.5, "half"] = true
//@ store "1.5" = "half"
//@ call put [true, "x"] = throws "TypeError: a key is a number, a string or bytes" 20:45
//@ call put [{"a":1}, "x"] = throws "TypeError: a key is a number, a string or bytes" 20:45
//@ call put ["", "x"] = throws "RangeError: a key has 1 to 1024 bytes" 20:45
//@ call put [null, "x"] = throws "TypeError: a key is a number, a string or bytes" 20:45
//@ call long [1024] = true
//@ call long [1025] = throws "RangeError: a key has 1 to 1024 bytes" 21:43
export function text(k) { return store.text(k) }
export function put(k, v) { return store.set(k, v) > 0 }
export function long(n) { return store.set('k'.repeat(n), 1) > 0 }

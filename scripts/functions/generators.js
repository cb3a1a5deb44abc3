//@ call take [5] = object([0,1,1,2,3])
//@ call all [] = object([1,2,3])
export function take(n) { const out = []; for (const x of fib()) { if (out.length === n) break; out.push(x) } return out }
function* fib() { let [a, b] = [0, 1]; for (;;) { yield a; [a, b] = [b, a + b] } }
function* inner() { yield 1; yield 2 }
function* outer() { yield* inner(); yield 3 }
export function all() { return [...outer()] }

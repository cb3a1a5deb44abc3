// Without any export every top-level function is callable.
//@ call a [] = 1
//@ call b [2] = 3
//@ call c [] = status no function
function a() { return 1 }
function b(x) { return x + a() }
const c = 5;

// Bindings of a loop are new each turn, also behind the meter.
//@ call f [] = object([0,1,2])
//@ call g [] = object([3,3,3])
export function f() { const fs = []; for (let i = 0; i < 3; i++) fs.push(() => i); return fs.map((x) => x()) }
export function g() { const fs = []; for (var i = 0; i < 3; i++) fs.push(() => i); return fs.map((x) => x()) }

//@ set 5 i16[-3,4]
//@ call at [5, 0] = -3
//@ call at [5, 1] = 4
//@ call at [5, 2] = null
//@ call at [5, -1] = null
//@ call at [5, 0.5] = null
//@ call at [5, "0"] = null
//@ call at [6, 0] = null
//@ set 7 f64[0.5,3]
//@ call atF [7, 0] = 0.5
//@ call atF [7, 1] = 3
//@ set 8 u32[4294967295]
//@ call atU [8, 0] = 4294967295
export function at(k, i) { return store.i16At(k, i) }
export function atF(k, i) { return store.f64At(k, i) }
export function atU(k, i) { return store.u32At(k, i) }

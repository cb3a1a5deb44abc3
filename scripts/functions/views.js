//@ set "v" u8[255,255,255,255,1,0,0,128]
//@ call all ["v"] = object([[255,255,255,255,1,0,0,128],[-1,-1,-1,-1,1,0,0,-128],[65535,65535,1,32768],[-1,-1,1,-32768],[4294967295,2147483649],[-1,-2147483647]])
//@ call all ["none"] = object([null,null,null,null,null,null])
//@ set "f" f64[1.5,-2]
//@ call f64 ["f"] = object([1.5,-2])
//@ set "g" f32[0.5,0.25]
//@ call f32 ["g"] = object([0.5,0.25])
//@ set "odd" u8[1,2,3]
//@ call f32 ["odd"] = throws "RangeError: the value's length is no multiple of the element size of f32" 14:53
//@ set "empty" ""
//@ call len ["empty"] = 0
export function all(k) { return [store.u8(k), store.i8(k), store.u16(k), store.i16(k), store.u32(k), store.i32(k)].map((v) => v && Array.from(v)) }
export function f64(k) { return Array.from(store.f64(k)) }
export function f32(k) { return Array.from(store.f32(k)) }
export function len(k) { return store.get(k).length }

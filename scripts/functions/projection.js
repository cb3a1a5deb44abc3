// The first four bytes of a record.
//@ set 1 u8[1,2,3,4,5,6]
//@ call first [1] = bytes(01020304)
//@ call word [1] = 67305985
export function first(k) { return store.get(k).slice(0, 4) }
export function word(k) { const b = store.get(k); return b[0] + b[1] * 256 + b[2] * 65536 + b[3] * 16777216 }

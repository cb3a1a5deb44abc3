//@ call whole [] = 4
//@ call big [] = 1e+300
//@ call nan [] = double(NaN)
//@ call inf [] = double(-Inf)
//@ call nothing [] = null
//@ call func [] = null
//@ call date [] = object("2023-11-14T22:13:20.000Z")
//@ call words [] = bytes(010000000200ff7f)
//@ call buffer [] = bytes(0102)
//@ call lone [] = "a�b"
//@ call big64 [] = throws "TypeError: a BigInt cannot be a result: return Number(x) or x.toString()" 0:0
//@ call cycle [] = throws "TypeError: Converting circular structure to JSON" 0:0
//@ call map [] = object({})
export function whole() { return 8 / 2 }
export function big() { return 1e300 }
export function nan() { return NaN }
export function inf() { return -1 / 0 }
export function nothing() {}
export function func() { return () => 1 }
export function date() { return new Date() }
export function words() { return new Uint16Array([1, 0, 2, 32767]) }
export function buffer() { return new Uint8Array([1, 2]).buffer }
export function lone() { return 'a\uD800b' }
export function big64() { return 10n }
export function cycle() { const a = []; a.push(a); return a }
export function map() { return new Map([[1, 2]]) }

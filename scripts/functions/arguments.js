//@ call echo [null] = null
//@ call echo [true] = true
//@ call echo [false] = false
//@ call echo [42] = 42
//@ call echo [-9007199254740991] = -9007199254740991
//@ call echo [0.5] = 0.5
//@ call echo [-0] = double(-0)
//@ call echo ["größe 😀"] = "größe 😀"
//@ call echo [bytes(00ff80)] = bytes(00ff80)
//@ call echo [{"a":[1,{"b":null}]}] = object({"a":[1,{"b":null}]})
//@ call echo [[]] = object([])
//@ call echo [] = null
//@ call count [1, "b", null, []] = 4
//@ call kinds [1, 1.5, "s", true, null, bytes(01), {"x":1}] = "number number string boolean object Uint8Array object"
export function echo(x) { return x }
export function count(...all) { return all.length }
export function kinds(...all) {
  return all.map((x) => x instanceof Uint8Array ? 'Uint8Array' : typeof x).join(' ');
}

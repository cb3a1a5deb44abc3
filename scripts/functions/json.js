//@ set "doc" "{\"a\":[1,2,{\"b\":\"c\"}]}"
//@ set "bad" "{a}"
//@ call read ["doc"] = "c"
//@ call read ["none"] = null
//@ call replaced [] = "{\"a\":2,\"c\":[3]}"
//@ call listed [] = "{\"b\":2}"
//@ call indented [] = "{\n  \"a\": [],\n  \"b\": [\n    1\n  ],\n  \"c\": {}\n}"
//@ call custom [] = object({"x":"custom"})
//@ call odd [] = object([null,null,null,"\u0001\ud800"])
//@ call holes [] = object({"b":1})
//@ call revived [] = 6
//@ call dates [] = "\"1970-01-01T00:00:00.000Z\""
export function read(k) { const d = store.json(k); return d && d.a[2].b }
export function replaced() { return JSON.stringify({ a: 1, b: 's', c: [2] }, (k, v) => typeof v === 'string' ? undefined : typeof v === 'number' ? v + 1 : v) }
export function listed() { return JSON.stringify({ a: 1, b: 2 }, ['b']) }
export function indented() { return JSON.stringify({ a: [], b: [1], c: {} }, null, 2) }
export function custom() { return { x: { toJSON() { return 'custom' } } } }
export function odd() { return [NaN, undefined, () => 1, '\u0001\uD800'] }
export function holes() { return { a: undefined, b: 1, c: Symbol() } }
export function revived() { return JSON.parse('{"a":[1,2,3]}', (k, v) => Array.isArray(v) ? v.reduce((x, y) => x + y, 0) : v).a }
export function dates() { return JSON.stringify(new Date(0)) }

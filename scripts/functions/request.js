//@ call id [] = 7
//@ call who [] = "test"
//@ call now [] = object([1700000000000,1700000000000,1700000000000])
//@ call same [] = true
//@ call fixed [] = "TypeError"
export function id() { return request.id }
export function who() { return request.tenant }
export function now() { return [request.now, Date.now(), new Date().getTime()] }
export function same() { const r = Math.random(), s = request.random(); return r >= 0 && r < 1 && s >= 0 && s < 1 && r !== s }
export function fixed() { try { request.now = 5 } catch (e) { return e.name } }

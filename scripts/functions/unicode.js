//@ call put ["schlüssel", "wert €"] = 1
//@ store "schlüssel" = "wert €"
//@ call keys [] = object(["schlüssel"])
//@ call codes ["€😀"] = object([8364,55357,56832])
export function put(k, v) { store.set(k, v); return Number(store.has(k)) }
export function keys() { return store.scan(0, 10).keys }
export function codes(s) { const out = []; for (let i = 0; i < s.length; i++) out.push(s.charCodeAt(i)); return out }

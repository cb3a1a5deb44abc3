//@ set "bad" "{a}"
//@ call depth [] = "a JSON text is nested too deeply"
//@ call cyclic [] = "TypeError"
//@ call big [] = "TypeError"
export function depth() { try { JSON.parse('['.repeat(1000)) } catch (e) { return e.message } }
export function cyclic() { const a = {}; a.a = a; try { JSON.stringify(a) } catch (e) { return e.name } }
export function big() { try { JSON.stringify({ x: 1n }) } catch (e) { return e.name } }

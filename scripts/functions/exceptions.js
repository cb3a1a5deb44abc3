//@ call thrown ["x"] = throws "Error: x" 12:9
//@ call text [] = throws "plain" 14:26
//@ call deep [] = throws "TypeError: Cannot read property 'a' of undefined" 15:49
//@ call missing [] = throws "ReferenceError: nope is not defined" 16:36
//@ call own [] = throws "Custom: mine" 19:45
//@ call object [] = throws "an object was thrown" 20:28
//@ call caught [] = "finally after caught"
//@ call readonly [] = throws "TypeError: Assignment to constant variable." 22:43


export function thrown(m) {
  throw new Error(m);
}
export function text() { throw 'plain' }
export function deep() { let o = {}; return o.x.a }
export function missing() { return nope }
class Custom extends Error { get name() { return 'Custom' } }
Custom.prototype.name;
export function own() { throw Object.assign(new Error('mine'), { name: 'Custom' }) }
export function object() { throw { a: 1 } }
export function caught() { try { try { throw 1 } catch (e) { return 'caught' } finally { globalCount() } } catch (e) { return 'finally after caught' } }
export function readonly() { const a = 1; a = 2 }

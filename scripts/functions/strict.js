// Libraries are strict code.
//@ call f [] = object(["ReferenceError","TypeError","undefined"])
export function f() {
  const out = [];
  try { undeclared = 1 } catch (e) { out.push(e.name) }
  try { Object.freeze([]).push(1) } catch (e) { out.push(e.name) }
  out.push(typeof (function () { return this })());
  return out;
}

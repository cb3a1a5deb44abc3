package wasm

import "testing"

// tries is a library of exceptions that are thrown and caught.
const tries = `
function check(n) { if (n > 4) throw new RangeError('too big: ' + n); if (n < 0) throw new TypeError('negative'); return n * 2 }
function deep(n) { return n > 0 ? deep(n - 1) + 1 : check(40) }
function fails() { throw new SyntaxError('always') }
export function caught(n) { try { return check(n) } catch (e) { return e.name + '/' + e.message } }
export function nested(n) {
  let log = '';
  for (let i = 0; i < 4; i++) {
    try {
      log += 'a';
      try { log += check(n + i); if (i === 2) continue; log += 'b' } finally { log += 'f' + i }
      log += 'c';
    } catch ({ message }) { log += '<' + message + '>'; if (i === 3) break }
    log += 'd';
  }
  return log;
}
export function returned(n) {
  let count = 0;
  const f = () => { try { count++; return check(n) } finally { count += 10 } };
  let out = -1;
  try { out = f() } catch { out = -2 }
  return { out, count };
}
export function overridden(n) { for (;;) { try { return check(n) } finally { if (n > 2) break; if (n < 0) return 'over' } } return 'out' }
export function rethrown(n) { try { check(n) } catch (e) { if (n < 0) throw e; return String(e) } return 'fine' }
export function again(n) {
  try { try { check(n) } catch (e) { throw new Error('wrapped ' + e.message) } } catch (e) { return [e.message.length, e instanceof Error ? 1 : 0] }
  return [];
}
export function recursive(n) { try { return deep(Math.abs(n)) } catch (e) { return e.message + Math.abs(n) } }
export function uncaught(n) { try { return check(n) } finally { store.set('seen', n) } }
export function late(n) { let x = 1; try { x = 2; check(n); x = 3 } catch (e) { x = x * 10 } finally { x = x + 100 } return x }
export function storeErrors(n) {
  const out = [];
  try { store.set('', n) } catch (e) { out.push(e.name, e.message) }
  store.set('odd', 'abc');
  try { store.u16('odd') } catch (e) { out.push(e.name, e.message) }
  try { store.incr('odd') } catch (e) { out.push(e.name, e.message) }
  try { store.set('x', 1, { ttl: n }) } catch (e) { out.push(e.name, e.message) }
  try { store.u8('none') } catch (e) { out.push('never') }
  return out;
}
export function looped(n) {
  let good = 0, bad = 0;
  for (let i = -3; i < n; i++) try { good += check(i) } catch (e) { bad++; if (e.name === 'RangeError' && i > 20) break }
  return { good, bad };
}
export function never(n) { try { fails() } catch (e) { return e.message + n } finally { n++ } }
export function eachOne(n) {
  let bad = 0;
  const list = [1, 9, -2, n].map((x) => { try { return check(x) } catch (e) { bad += 1; return -1 } });
  let total = 0;
  try { list.forEach((x) => { total += x; if (x < 0) throw new Error('at ' + x) }) } catch (e) { total += 1000 }
  return { list, bad, total };
}
export function burns(n) { try { for (let i = 0; i < 100000; i++) n += i } catch (e) { return 'caught' } finally { store.set('after', 1) } return n }
export function values(n) { const e = new RangeError('v' + n); return [e.name, e.message, '' + e, new Error().message, String(new TypeError())] }
export function typed(n) {
  const v = store.u8('none'), o = n > 2 ? { a: n } : null, e = n > 1 ? new RangeError('x') : undefined;
  return [typeof n, typeof v, typeof o, typeof 'x', typeof (n > 1), typeof typed, typeof undefined, typeof e,
    e instanceof RangeError, e instanceof TypeError, e instanceof Error, [] instanceof Array, v instanceof Uint8Array, o instanceof Object];
}
export function mixed(n) {
  if (typeof n !== 'number') return 'no number';
  if (n === 0) return 'zero';
  if (n === 1) return new Uint16Array([1, 2]);
  if (n === 2) return null;
  if (n === 3) return [n];
  if (n === 5) return true;
  return n > 10 ? { n } : n / 2;
}
`

func TestTriesOnBothTiers(t *testing.T) { compareFeatures(t, tries, false) }

//@ call f [] = object(["1267650600228229401496703205376","1024","-5","256","15","big"])
//@ call guards [] = object(["RangeError","RangeError","RangeError","TypeError"])
//@ call numbers [] = object([8,20,1,-1])
export function f() { let x = 2n; x **= 10n; return [2n ** 100n, x, -5n, 1n << 8n, 255n >> 4n].map(String).concat(typeof 1n === 'bigint' ? 'big' : 'no') }
export function guards() {
  return [() => 2n ** 100000n, () => 1n << 1000000n, () => { let x = 3n; for (;;) x *= x }, () => 2n ** 3].map((t) => { try { t() } catch (e) { return e.name } });
}
export function numbers() { const id = (x) => x; return [id(2) ** id(3), id(5) << id(2), id(5) >> id(2), id(-5) >> id(3)] }

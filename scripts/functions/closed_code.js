//@ call f [] = object(["EvalError","EvalError","EvalError","EvalError","EvalError","EvalError"])
//@ call globals [] = "undefined undefined undefined"
export function f() {
  const tries = [
    () => eval('1'), () => (0, eval)('1'), () => new Function('return 1')(), () => Function('1'),
    () => (() => 1).constructor('1')(), () => Object.getPrototypeOf(function* () {}).constructor('1'),
  ];
  return tries.map((t) => { try { return t() } catch (e) { return e.name } });
}
export function globals() { return [typeof Proxy, typeof Promise, typeof globalThis].join(' ') }

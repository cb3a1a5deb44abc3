//@ call f [] = object([3,6,"default 5",12,"get 1","static","Sub:Base",2,120,1])
class Base {
  #secret = 1; static kind = 'static'; count = 2;
  constructor(name) { this.name = name }
  get value() { return `get ${this.#secret}` }
  static make() { return Base.kind }
  label() { return this.name }
}
class Sub extends Base { label() { return 'Sub:' + super.label() } }
export function f() {
  const arrow = (a, b) => a + b;
  const body = (...xs) => { let t = 0; for (const x of xs) t += x; return t };
  function def(a, b = a + 4) { return `default ${b}` }
  const { x, ...rest } = { x: 1, y: 5, z: 6 };
  const fact = (n) => n <= 1 ? 1 : n * fact(n - 1);
  return [arrow(1, 2), body(1, 2, 3), def(1), x + rest.y + rest.z, new Base('b').value, Base.make(), new Sub('Base').label(), new Base().count, fact(5), (function () { return arguments.length })(0)];
}

// Writes "function x y result", doubles as hexadecimal bits, for n inputs of
// each function of Math that need not be exact: node generate.js n
const n = +process.argv[2];
const one = ['exp', 'expm1', 'log', 'log1p', 'log2', 'log10', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh',
  'asinh', 'acosh', 'atanh', 'cbrt'];
const two = ['pow', 'atan2', 'hypot'];
const special = [0, -0, 1, -1, 0.5, -0.5, 2, -2, NaN, Infinity, -Infinity, 5e-324, 2.2250738585072014e-308, Number.MAX_VALUE,
  -Number.MAX_VALUE, Math.PI, Math.E, 1e300, -1e300, 1e-300, 710, -745.2, -746, 709.78, 1e22, Math.PI / 4, Math.PI / 2, 3, 10, 100,
  1000, 1024, 8, 1 / 3];
let state = BigInt(process.argv[3] || 1);
const mask = (1n << 64n) - 1n;
function next() {
  state = (state + 0x9e3779b97f4a7c15n) & mask;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
  return z ^ (z >> 31n);
}
const view = new DataView(new ArrayBuffer(8));
function bits(x) {
  view.setFloat64(0, x);
  return view.getBigUint64(0).toString(16);
}
function input(i) {
  if (i < special.length) return special[i];
  const r = Number(next() >> 11n) / 2 ** 53 - 0.5;
  switch (i % 8) {
    case 0: view.setBigUint64(0, next()); return view.getFloat64(0);
    case 1: return r * 2;
    case 2: return r * 20;
    case 3: return r * 1500;
    case 4: return r * 1e6;
    case 5: return 1 + r * 1e-3;
    case 6: return Math.floor(r * 2000);
  }
  return (r + 0.5) * 10;
}
const lines = [];
for (const f of one) for (let i = 0; i < n; i++) { const x = input(i); lines.push(`${f} ${bits(x)} 0 ${bits(Math[f](x))}`) }
for (const f of two) {
  for (let i = 0; i < n; i++) {
    const pair = i < special.length ** 2;
    const x = pair ? special[i % special.length] : input(i), y = pair ? special[Math.floor(i / special.length)] : input(i * 7 + 3);
    lines.push(`${f} ${bits(x)} ${bits(y)} ${bits(Math[f](x, y))}`);
  }
}
process.stdout.write(lines.join('\n') + '\n');

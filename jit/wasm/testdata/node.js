// What Node says of a program: a third opinion beside tier 0 and tier 1. Lines of JSON
// come in, { source, entry, records: [[hex, hex]], calls: [[argument]] }, and go out: for
// each call its result in the notation of node_test.go, or the exception, and what the
// store holds afterwards.
'use strict';
const readline = require('readline');

let committed = new Map(), overlay = new Map();
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function keyOf(key) {
  if (ArrayBuffer.isView(key)) return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex');
  if (typeof key !== 'number' && typeof key !== 'string') throw new TypeError('a key is a number, a string or bytes');
  return Buffer.from(String(key), 'utf8').toString('hex');
}

const find = (key) => overlay.get(keyOf(key));

function bytesOf(value) {
  if (ArrayBuffer.isView(value)) return Uint8Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return encoder.encode(String(value));
  throw new TypeError('a value is a string, a number or bytes');
}

function incr(key, by = 1) {
  if (!Number.isSafeInteger(by)) throw new TypeError('incr takes an integer');
  const text = store.text(key) ?? '0';
  if (!/^(0|-?[1-9][0-9]*)$/.test(text)) throw new TypeError('the value is no integer');
  const sum = BigInt(text) + BigInt(by);
  if (BigInt.asIntN(64, BigInt(text)) !== BigInt(text) || sum > BigInt(Number.MAX_SAFE_INTEGER) || sum < -BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new RangeError('the sum is out of range');
  }
  overlay.set(keyOf(key), encoder.encode(String(sum)));
  return Number(sum);
}

const store = {
  get: (key) => find(key)?.slice(),
  text: (key) => (find(key) === undefined ? undefined : decoder.decode(find(key))),
  json: (key) => (find(key) === undefined ? undefined : JSON.parse(store.text(key))),
  has: (key) => find(key) !== undefined,
  size: (key) => find(key)?.length,
  set: (key, value) => { overlay.set(keyOf(key), bytesOf(value)); },
  delete: (key) => overlay.delete(keyOf(key)),
  incr,
};

for (const [name, Kind] of Object.entries({
  u8: Uint8Array, i8: Int8Array, u16: Uint16Array, i16: Int16Array, u32: Uint32Array, i32: Int32Array, f32: Float32Array, f64: Float64Array,
})) {
  store[name] = (key) => {
    const bytes = find(key);
    return bytes === undefined ? undefined : new Kind(bytes.slice().buffer);
  };
  store[`${name}At`] = (key, i) => {
    const bytes = find(key), size = Kind.BYTES_PER_ELEMENT;
    if (bytes === undefined || !(i >= 0 && (i + 1) * size <= bytes.length)) return undefined;
    return new Kind(bytes.slice(i * size, (i + 1) * size).buffer)[0];
  };
}

const hex = (bytes) => Buffer.from(bytes).toString('hex');

function show(v) {
  if (v === undefined || v === null) return 'null';
  if (typeof v === 'boolean') return String(v);
  if (typeof v === 'string') return `s:${v}`;
  if (typeof v === 'number') {
    if (Number.isSafeInteger(v) && !Object.is(v, -0)) return `i:${v}`;
    if (v !== v) return 'd:nan';
    const b = Buffer.alloc(8);
    b.writeDoubleBE(v);
    return `d:${hex(b)}`;
  }
  if (ArrayBuffer.isView(v) || v instanceof ArrayBuffer) return `b:${hex(bytesOf(v))}`;
  return `j:${JSON.stringify(v)}`;
}

function run({ source, entry, records, calls }) {
  const f = new Function('store', `'use strict';\n${source.replace(/^export /gm, '')}\nreturn ${entry};`)(store);
  committed = new Map(records.map(([key, value]) => [key, Uint8Array.from(Buffer.from(value, 'hex'))]));
  return calls.map((args) => {
    overlay = new Map(committed);
    let result;
    try {
      result = show(f(...args));
      committed = overlay;
    } catch (e) {
      result = `throws ${e}`;
    }
    return { result, records: [...committed].map(([key, value]) => `${key} ${hex(value)}`).sort() };
  });
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  let reply;
  try {
    reply = run(JSON.parse(line));
  } catch (e) {
    reply = { failed: String(e.stack ?? e) };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
});

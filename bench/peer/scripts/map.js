// A store in Maps from keys to typed arrays, one Map for each kind of view.
const views = { u32: new Map(), f64: new Map(), u8: new Map() };

function put(key, value) {
  const bytes = Uint8Array.from(value);
  views.u8.set(key, bytes);
  if (bytes.length % 4 === 0) views.u32.set(key, new Uint32Array(bytes.buffer));
  if (bytes.length % 8 === 0) views.f64.set(key, new Float64Array(bytes.buffer));
}

const store = {
  u32: (key) => views.u32.get(key),
  f64: (key) => views.f64.get(key),
  get: (key) => views.u8.get(key),
  u32At: (key, i) => views.u32.get(key)?.[i],
};

const extras = {};

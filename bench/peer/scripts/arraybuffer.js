// A store in one ArrayBuffer: an open-addressing table (Fibonacci hashing, at most half
// full), then the values. Views are made at an entry's first lookup and kept.
const bits = Math.max(4, Math.ceil(Math.log2(2 * recordCount)));
const slotCount = 2 ** bits, shift = 32 - bits, mask = slotCount - 1;
const slotSize = 4; // words: key, address in bytes + 1, size, hash of a byte key
const heap = slotCount * slotSize * 4;
const buffer = new ArrayBuffer(heap + byteCount + 16 * recordCount);
const words = new Uint32Array(buffer), octets = new Uint8Array(buffer);
const views = [], octetViews = [], doubleViews = [];
const texts = new Uint8Array(slotCount); // 1: the key is bytes, which lie in front of the value
let top = heap;

const hash = (key) => Math.imul(key, 0x9e3779b1) >>> shift;

function hashText(key) {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  return h;
}

// find returns a key's slot, as an index into words, or −1.
function find(key) {
  if (typeof key === 'string') return findText(key);
  for (let i = hash(key); ; i = (i + 1) & mask) {
    const at = i * slotSize;
    if (words[at + 1] === 0) return -1;
    if (words[at] === key) return at;
  }
}

function findText(key) {
  const h = hashText(key) >>> 0;
  for (let i = hash(h); ; i = (i + 1) & mask) {
    const at = i * slotSize;
    if (words[at + 1] === 0) return -1;
    if (words[at + 3] === h && isText(at, key)) return at;
  }
}

function isText(at, key) {
  const start = words[at + 1] - 1 - ((key.length + 7) & ~7);
  for (let i = 0; i < key.length; i++) if (octets[start + i] !== key.charCodeAt(i)) return false;
  return texts[at >> 2] === 1;
}

function put(key, value) {
  const isBytes = typeof key === 'string';
  const h = isBytes ? hashText(key) >>> 0 : key;
  let i = hash(h);
  while (words[i * slotSize + 1] !== 0) i = (i + 1) & mask;
  const at = i * slotSize;
  top = (top + 7) & ~7;
  if (isBytes) {
    for (let j = 0; j < key.length; j++) octets[top + j] = key.charCodeAt(j);
    top = (top + key.length + 7) & ~7;
    texts[i] = 1;
  }
  octets.set(value, top);
  words[at] = isBytes ? 0 : key;
  words[at + 1] = top + 1;
  words[at + 2] = value.length;
  words[at + 3] = isBytes ? h : 0;
  top += value.length;
}

function view(kept, Kind, key) {
  const at = find(key);
  if (at < 0) return undefined;
  const i = at >> 2;
  return kept[i] ?? (kept[i] = new Kind(buffer, words[at + 1] - 1, words[at + 2] / Kind.BYTES_PER_ELEMENT));
}

for (const kept of [views, octetViews, doubleViews]) for (let i = 0; i < Math.min(slotCount, 1 << 18); i++) kept.push(undefined);

const store = {
  u32: (key) => view(views, Uint32Array, key),
  f64: (key) => view(doubleViews, Float64Array, key),
  get: (key) => view(octetViews, Uint8Array, key),
  u32At(key, i) {
    const at = find(key);
    if (at < 0 || 4 * i >= words[at + 2]) return undefined;
    return words[((words[at + 1] - 1) >> 2) + i];
  },
};

// The same walks written for this table by hand, without views.
function countFriendsByHand(id, depth) {
  const at = find(id);
  if (at < 0) return 0;
  let n = words[at + 2] >> 2;
  if (depth === 1) return n;
  const first = (words[at + 1] - 1) >> 2, end = first + n;
  for (let i = first; i < end; i++) n += countFriendsByHand(words[i], depth - 1);
  return n;
}

function countAllByHand(nodes, depth) {
  let n = 0;
  for (let id = 0; id < nodes; id++) n += countFriendsByHand(id, depth);
  return n;
}

const extras = { countFriendsByHand, countAllByHand };

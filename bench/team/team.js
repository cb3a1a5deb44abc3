// What a team that writes storage functions might write, before it has looked at what compiles.
export function topK(key, k) {
  const scores = store.u32(key);
  if (!scores) return [];
  const top = [];
  for (const s of scores) {
    let i = top.length;
    if (i < k) top.push(s); else if (s <= top[i - 1]) continue; else i--;
    while (i > 0 && top[i - 1] < s) { top[i] = top[i - 1]; i--; }
    top[i] = s;
  }
  return top;
}
export function histogram(key, width) {
  const v = store.f64(key), bins = new Uint32Array(10);
  if (!v) return bins;
  for (const x of v) bins[Math.min(9, Math.max(0, Math.floor(x / width)))]++;
  return bins;
}
export function rateLimit(user, limit) {
  const n = store.incr('rate:' + user + ':' + Math.floor(request.now / 60000));
  return n <= limit;
}
export function bloom(key, h1, h2) {
  const bits = store.u8(key);
  if (!bits) return false;
  for (let i = 0; i < 5; i++) {
    const b = (h1 + i * h2) % (bits.length * 8);
    if (!(bits[b >> 3] & (1 << (b & 7)))) return false;
  }
  return true;
}
export function downsample(key, n) {
  const v = store.f32(key);
  if (v === undefined) return null;
  const out = new Float32Array(Math.ceil(v.length / n));
  for (let i = 0; i < out.length; i++) {
    let sum = 0, count = 0;
    for (let j = i * n; j < Math.min(v.length, (i + 1) * n); j++) { sum += v[j]; count++; }
    out[i] = sum / count;
  }
  return out;
}
export function within(key, lat, lon, km) {
  const points = store.f64(key) ?? new Float64Array(0), found = [];
  const rad = Math.PI / 180;
  for (let i = 0; i + 1 < points.length; i += 2) {
    const a = Math.sin((points[i] - lat) * rad / 2) ** 2
      + Math.cos(lat * rad) * Math.cos(points[i] * rad) * Math.sin((points[i + 1] - lon) * rad / 2) ** 2;
    if (12742 * Math.asin(Math.sqrt(a)) <= km) found.push(i / 2);
  }
  return found;
}
export function intersect(a, b) {
  const x = store.u32('term:' + a), y = store.u32('term:' + b), out = [];
  if (!x || !y) return out;
  let i = 0, j = 0;
  while (i < x.length && j < y.length) {
    if (x[i] === y[j]) { out.push(x[i]); i++; j++; } else if (x[i] < y[j]) i++; else j++;
  }
  return out;
}
export function assocRange(id, from, n) {
  const list = store.u32('assoc:' + id);
  if (!list) return new Uint32Array(0);
  return list.slice(from, from + n);
}
export function touch(session) {
  const data = store.get('s:' + session);
  if (data === undefined) return false;
  store.set('s:' + session, data, { ttl: 1800000 });
  return true;
}
export function count(name, shards) {
  let total = 0;
  for (let i = 0; i < shards; i++) total += Number(store.text('c:' + name + ':' + i) ?? 0);
  return total;
}
export function bump(name, shards) { return store.incr('c:' + name + ':' + Math.floor(request.random() * shards)); }
export function addToIndex(term, id) {
  const old = store.u32('term:' + term) ?? new Uint32Array(0);
  if (old.includes(id)) return old.length;
  const next = new Uint32Array(old.length + 1);
  next.set(old); next[old.length] = id; next.sort();
  store.set('term:' + term, next);
  return next.length;
}
export function editDistance(a, b) {
  const m = a.length, n = b.length, row = new Uint16Array(n + 1);
  for (let j = 0; j <= n; j++) row[j] = j;
  for (let i = 1; i <= m; i++) {
    let prev = row[0]; row[0] = i;
    for (let j = 1; j <= n; j++) {
      const t = row[j];
      row[j] = Math.min(row[j] + 1, row[j - 1] + 1, prev + (a.charCodeAt(i - 1) === b.charCodeAt(j - 1) ? 0 : 1));
      prev = t;
    }
  }
  return row[n];
}
export function multiply(key, vector) {
  const m = store.f64(key), v = store.f64(vector);
  if (!m || !v) return null;
  const rows = m.length / v.length, out = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let s = 0;
    for (let j = 0; j < v.length; j++) s += m[i * v.length + j] * v[j];
    out[i] = s;
  }
  return out;
}
export function crc32(key) {
  const data = store.get(key);
  if (!data) return null;
  let crc = -1;
  for (const byte of data) { crc ^= byte; for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1; }
  return (crc ^ -1) >>> 0;
}
export function hops(id, depth) {
  const seen = new Set(); seen.add(id);
  let frontier = [id];
  for (let d = 0; d < depth; d++) {
    const next = [];
    for (const x of frontier) {
      const friends = store.u32(x);
      if (friends) for (const y of friends) if (!seen.has(y)) { seen.add(y); next.push(y); }
    }
    frontier = next;
  }
  return seen.size;
}
export function push(q, v) { const n = store.incr('tail:' + q); store.set('q:' + q + ':' + n, v); return n; }
export function base64(key) {
  const v = store.get(key); if (!v) return null;
  const abc = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  let out = '';
  for (let i = 0; i < v.length; i += 3) {
    const n = v[i] << 16 | (v[i + 1] ?? 0) << 8 | (v[i + 2] ?? 0);
    out += abc[n >> 18] + abc[n >> 12 & 63] + (i + 1 < v.length ? abc[n >> 6 & 63] : '=') + (i + 2 < v.length ? abc[n & 63] : '=');
  }
  return out;
}
export function leader(board, user, score) {
  const best = store.f64At('best:' + board + ':' + user, 0) ?? -Infinity;
  if (score <= best) return false;
  store.set('best:' + board + ':' + user, new Float64Array([score]));
  return true;
}
export function neural(key, x) {
  const w = store.f64(key); if (!w) return -1;
  const hidden = []; let at = 0;
  for (let j = 0; j < 5; j++) { let s = 0; for (let i = 0; i < 13; i++) s += w[at++] * x; hidden.push(1 / (1 + Math.exp(-s))); }
  let best = 0, value = -Infinity;
  for (let k = 0; k < 3; k++) { let s = 0; for (const h of hidden) s += h * w[at++]; if (s > value) { value = s; best = k; } }
  return best;
}
// The ten best of a board: pairs of a user and a score, the highest first.
export function leaderboard(board, user, score) {
  const stored = store.f64('board:' + board) ?? new Float64Array(0);
  const rows = [];
  for (let i = 0; i < stored.length; i += 2) {
    if (stored[i] !== user) rows.push({ user: stored[i], score: stored[i + 1] });
  }
  rows.push({ user, score });
  rows.sort((a, b) => b.score - a.score);
  const best = new Float64Array(2 * Math.min(10, rows.length));
  for (let i = 0; i < best.length; i += 2) {
    best[i] = rows[i / 2].user;
    best[i + 1] = rows[i / 2].score;
  }
  store.set('board:' + board, best);
  return rows.findIndex((r) => r.user === user);
}
export function filterRecords(key, age) {
  const records = store.json(key);
  if (!records) return [];
  return records.filter((r) => r.active && r.age > age).map((r) => r.id);
}
// Moves an item to the front of a cache's list and evicts the last one.
export function lru(cache, id, capacity) {
  const list = [id];
  for (const other of store.u32('lru:' + cache) ?? []) if (other !== id) list.push(other);
  while (list.length > capacity) store.delete(`item:${cache}:${list.pop()}`);
  store.set('lru:' + cache, new Uint32Array(list));
  return list.length;
}
// Words of which some prefix is within so many edits of what was typed.
export function complete(key, typed, edits) {
  const found = [];
  for (const word of (store.text(key) ?? '').split(',')) {
    let row = Array.from({ length: word.length + 1 }, (_, j) => j);
    for (let i = 1; i <= typed.length; i++) {
      const next = [i];
      for (let j = 1; j <= word.length; j++) {
        const cost = typed[i - 1] === word[j - 1] ? 0 : 1;
        next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + cost));
      }
      row = next;
    }
    if (Math.min(...row) <= edits) found.push(word);
  }
  return found;
}
export function pop(q) {
  const head = Number(store.text('head:' + q) ?? 0) + 1;
  const job = store.text('q:' + q + ':' + head);
  if (job === undefined) return null;
  store.delete('q:' + q + ':' + head);
  store.set('head:' + q, head);
  return job;
}

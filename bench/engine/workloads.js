// The functions of scripts/bench.sh jit, as every engine that runs JavaScript gets them.
export function countFriends(id, depth) {
  const friends = store.u32(id);            // Uint32Array over the stored bytes, or undefined
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 1) return n;
  for (let i = 0; i < friends.length; i++) n += countFriends(friends[i], depth - 1);
  return n;
}

export function countAll(nodes, depth) {
  let n = 0;
  for (let id = 0; id < nodes; id++) n += countFriends(id, depth);
  return n;
}

// Follows the keys that are stored under keys.
export function chase(key, steps) {
  for (let i = 0; i < steps; i++) key = store.u32At(key, 0) ?? 0;
  return key;
}

// Adds up values of keys that do not depend on one another (Marsaglia's xorshift).
export function gather(seed, steps, keys) {
  let x = seed, sum = 0;
  for (let i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    sum += store.u32At((x >>> 0) % keys, 0) ?? 0;
  }
  return sum;
}

export function profiles(seed, steps, keys) {
  let x = seed, sum = 0;
  for (let i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    sum += store.u32At('user:profile:' + (10000000 + (x >>> 0) % keys), 0) ?? 0;
  }
  return sum;
}

// The first four bytes of each record.
export function project(seed, steps, keys) {
  let x = seed, sum = 0;
  for (let i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    const record = store.get((x >>> 0) % keys);
    if (record === undefined) continue;
    const head = record.slice(0, 4);
    sum += head[0] + head[3];
  }
  return sum;
}

function logistic(x) { return 1 / (1 + Math.exp(-x)); }

// A feed-forward network of 5 hidden and 3 output units; a unit's weights end with its bias.
function classify(model, sample) {
  const weights = store.f64(model), input = store.f64(sample);
  if (weights === undefined || input === undefined) return -1;
  const hidden = [], out = [];
  let at = 0;
  for (let j = 0; j < 5; j++) {
    let sum = 0;
    for (let i = 0; i < input.length; i++) sum += weights[at++] * input[i];
    hidden.push(logistic(sum + weights[at++]));
  }
  for (let k = 0; k < 3; k++) {
    let sum = 0;
    for (const h of hidden) sum += weights[at++] * h;
    out.push(logistic(sum + weights[at++]));
  }
  let best = 0;
  for (let k = 1; k < out.length; k++) if (out[k] > out[best]) best = k;
  return best;
}

export function classifyMany(model, sample, times) {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += classify(model, sample);
  return sum;
}

// How many nodes lie within so many hops.
export function distinct(id, hops) {
  const seen = new Set();
  seen.add(id);
  let frontier = [id];
  for (let d = 0; d < hops; d++) {
    const next = [];
    for (const x of frontier) {
      const friends = store.u32(x);
      if (friends === undefined) continue;
      for (const y of friends) {
        if (!seen.has(y)) {
          seen.add(y);
          next.push(y);
        }
      }
    }
    frontier = next;
  }
  return seen.size;
}

export function empty() {}
export function first(key) { return store.u32At(key, 0) }

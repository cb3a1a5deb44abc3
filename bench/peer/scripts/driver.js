// node driver.js STORE.js WORKLOADS.js RECORDS BYTES: runs the workloads over a store in
// JavaScript, as lines on standard input ask (see script.go). Store and workloads are one
// script, so that V8 sees the store's arrays as constants.
'use strict';
const fs = require('fs');
const vm = require('vm');

const [, , shim, workloads, records, bytes] = process.argv;
globalThis.recordCount = Number(records);
globalThis.byteCount = Number(bytes);
const library = fs.readFileSync(workloads, 'utf8').replace(/^export /gm, '');
const names = [...library.matchAll(/^function (\w+)/gm)].map((m) => m[1]);
const text = fs.readFileSync(shim, 'utf8');
const engine = vm.runInThisContext(`${text}\n${library}\n({ put, functions: { ...extras, ${names.join(', ')} } })`);

function load(path) {
  const b = fs.readFileSync(path);
  for (let at = 0; at < b.length;) {
    const keyLength = b.readUInt32LE(at);
    let key;
    if (keyLength === 0) {
      key = b.readUInt32LE(at + 4);
      at += 8;
    } else {
      key = b.toString('latin1', at + 4, at + 4 + keyLength);
      at += 4 + keyLength;
    }
    const size = b.readUInt32LE(at);
    engine.put(key, b.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
}

function cycle(keys, factor, step) {
  const value = Buffer.alloc(4);
  for (let i = 0; i < keys; i++) {
    value.writeUInt32LE((i * factor + step) % keys);
    engine.put(i, value);
  }
}

// Calls until the time is over; the median of the calls' nanoseconds, and the result.
function run(seconds, name, ...args) {
  const f = engine.functions[name];
  const times = [];
  const stop = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9));
  let now = process.hrtime.bigint(), result;
  do {
    const start = now;
    result = f(...args);
    now = process.hrtime.bigint();
    times.push(Number(now - start));
  } while (now < stop);
  times.sort((a, b) => a - b);
  return `${times[times.length >> 1]} ${result}`;
}

function answer([verb, ...rest]) {
  if (verb === 'load') load(rest[0]);
  else if (verb === 'cycle') cycle(...rest.map(Number));
  else if (verb === 'run') return run(Number(rest[0]), rest[1], ...rest.slice(2).map(Number));
  else throw new Error(`unknown verb ${verb}`);
  return '';
}

let pending = '';
const chunk = Buffer.alloc(4096);
for (;;) {
  const end = pending.indexOf('\n');
  if (end < 0) {
    const n = fs.readSync(0, chunk);
    if (n === 0) break;
    pending += chunk.toString('latin1', 0, n);
    continue;
  }
  const line = pending.slice(0, end);
  pending = pending.slice(end + 1);
  let reply;
  try {
    reply = `ok ${answer(line.split(' '))}`;
  } catch (e) {
    reply = `error ${String(e.stack ?? e).replace(/\s+/g, ' ')}`;
  }
  fs.writeSync(1, `${reply}\n`);
}

function DBGet(key) { const value = store.get(key); if (value === undefined) return undefined; return value.buffer; }
function DBSet(key, buffer) { store.set(key, new Uint8Array(new DataView(buffer).buffer)); }
function DBDel(key) { return store.delete(key); }
function GetHashTable() { return "hash table"; }
function HTGet(table, key, buffer) { const value = store.get(key); if (value === undefined) return undefined; if (buffer.byteLength > 0) { const into = new Uint8Array(buffer); const n = value.length < into.length ? value.length : into.length; for (let i = 0; i < n; i++) into[i] = value[i]; } return value.length; }
function HTGetField(buffer, i) { const fields = buffer.fields === undefined ? new DataView(buffer) : buffer.fields; if (!(i >= 0 && 4 * i + 4 <= fields.byteLength)) return undefined; return fields.getUint32(4 * i, true); }
function print(...values) { console.log(...values); }

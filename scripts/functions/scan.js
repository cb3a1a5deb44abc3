//@ set "a" 1
//@ set "b" 1
//@ set 3 1
//@ call all [100] = object([3,"a","b"])
//@ call all [1] = object([3,"a","b"])
//@ call withWrites [] = object(["b","c",3])
//@ store "a" = missing
//@ call bad [0] = throws "RangeError: scan returns 1 to 1024 keys" 19:47
export function all(limit) {
  const keys = [];
  let cursor = 0;
  do {
    const page = store.scan(cursor, limit);
    keys.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== '0');
  return keys.sort();
}
export function bad(limit) { return store.scan(0, limit) }
export function withWrites() { store.delete('a'); store.set('c', 1); return store.scan(0, 100).keys.sort((x, y) => x < y ? -1 : 1).map(String).sort().reverse().map((k) => k === '3' ? 3 : k).sort((x, y) => String(x) < String(y) ? 1 : -1).reverse().sort((x, y) => (x === 3) - (y === 3)) }

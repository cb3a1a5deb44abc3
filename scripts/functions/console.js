//@ call f [] = null
//@ log 1 "hello 1 true null undefined"
//@ log 2 "{\"a\":[1]} [1,2]"
//@ log 3 "TypeError: bad"
//@ log 0 "fine"
//@ call g [] = throws "Error: late" 15:52
//@ log 1 "before"
//@ log 3 "Error: late"
export function f() {
  console.log('hello', 1, true, null, undefined);
  console.warn({ a: [1] }, [1, 2]);
  console.error(new TypeError('bad'));
  console.debug('fine');
}
export function g() { console.log('before'); throw new Error('late') }

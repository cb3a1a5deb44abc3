// Module-level bindings persist between calls, as a cache, and are new after
// an abnormal end.
//@ call next [] = 1
//@ call next [] = 2
//@ call fail [] = throws "Error: reset" 11:9
//@ call next [] = 1
let n = 0;
export function next() { return ++n }
export function fail() {
  n = 100;
  throw new Error('reset');
}

//@ call f [] = "f"
//@ call g [] = "g"
//@ call h [] = "h"
//@ call hidden [] = status no function
//@ call K [] = status no function
export function f() { return hidden() }
export const g = () => 'g', K = 3;
export let h = function () { return 'h' };
function hidden() { return 'f' }

//@ call f ["Grüße, Welt"] = object(["GRÜSSE, WELT","Welt",11,"Gr*ße","G-r-ü","ab  ","  ab","ababab"])
//@ call parts [] = object(["a","b","c"])
//@ call matches [] = object(["12","34"])
//@ call swapped [] = "b-a"
//@ call named [] = "2023"
//@ call called [] = "<a><b>"
export function f(s) { return [s.toUpperCase(), s.slice(7), s.length, s.replace('ü', '*').slice(0, 5), s.slice(0, 3).split('').join('-'), 'ab'.padEnd(4), 'ab'.padStart(4), 'ab'.repeat(3)] }
export function parts() { return 'a, b,c'.split(/,\s*/) }
export function matches() { return 'x12y34'.match(/\d+/g) }
export function swapped() { return 'a-b'.replace(/(\w)-(\w)/, '$2-$1') }
export function named() { return /(?<year>\d{4})/.exec('in 2023').groups.year }
export function called() { return 'ab'.replace(/./g, (m) => `<${m}>`) }

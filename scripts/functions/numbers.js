//@ call f [] = object([0.30000000000000004,-1,1,4294967295,-2147483648,5,3,true,1e+21])
export function f() { return [0.1 + 0.2, -7 % 2 | 0, 7 % 2, -1 >>> 0, 1 << 31, Math.max(1, 5, 3), parseInt('3px'), Number.isNaN(NaN), 1e21] }

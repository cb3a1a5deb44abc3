// Package prefetch asks for cache lines ahead of their use. A plain load does so
// too, but holds its place in the CPU's window until the line is there, so that the
// misses of some three requests overlap; a prefetch holds none, and those of a whole
// burst do. An address may be anything: one that cannot be read is ignored. Any
// thread may call it.
package prefetch

// BlockLines is how many lines Blocks asks for: an entry of the store with a
// value of 128 bytes lies on three.
const BlockLines = 3

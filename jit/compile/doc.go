// Package compile is the pure compiler of tier 1: a library's JavaScript and
// the types of one call's arguments in, a WebAssembly module out, or the reason
// why not with line, column and what to write instead.
//
// It lowers goja's syntax tree by abstract interpretation: a pass walks every
// function reached from the entry with the types of its variables at each
// point and produces code; joins at loop heads, parameters and results are
// remembered from pass to pass until nothing changes, and the last pass's code
// is the module. So types and code never disagree.
//
// What it accepts means exactly what tier 0 means. Where the types do not show
// that an operation stays in its fast form (an integer beyond 2^53, an element
// beyond an array), the code has a guard; a call whose guard fails ends without
// effect, and its caller runs it on tier 0 or compiles again with that guard
// widened.
//
// Everything here is for control threads. A Library is read-only after Parse,
// and Compile may be called from several threads at once.
package compile

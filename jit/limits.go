package jit

// Fuel is counted on the source, so that every tier burns the same: one unit
// per function entry and per loop turn, one per 16 syntax nodes of the body,
// one per 64 bytes in operations whose work grows with size.
//
// FuelPerMilli is how many units tier 0 is taken to burn in a millisecond of
// core time (measured for countFriends: 80 ns a unit with scalar
// reads, 240 with views). Budgets given as time are
// converted with it.
const FuelPerMilli = 10_000

// CompiledSpeed is how many units tier 1 is taken to burn in the time in which
// tier 0 burns one (countFriends: 5 to 14 ns a unit): its slices are so many
// times as large, and its fuel weighs so much less when lcores share out time.
const CompiledSpeed = 8

// Limits bound one tenant's functions. Each has a default, and STATS shows them.
type Limits struct {
	Fuel           int64 // units an invocation may burn
	Slice          int64 // units between two yields on tier 0; CompiledSpeed times as many on tier 1
	DeadlineMillis int64 // wall clock from arrival, waiting included

	Depth         int   // nested calls
	Scratch       int64 // bytes an invocation may allocate in strings, arrays and buffers, in all
	ResultSize    int   // bytes of an encoded result
	LogSize       int   // bytes of console text an invocation may leave
	OverlayWrites int   // keys an invocation may write
	OverlayBytes  uint64

	SourceSize  int   // bytes of a library
	SourceDepth int   // nesting of brackets, templates, unary and binary chains
	Functions   int   // exported functions of a library
	LoadFuel    int64 // units the top level may burn when a runtime is made

	Waiting        int   // requests that may wait behind a suspended call
	CallsPerSecond int64 // 0: no limit
	FuelPerSecond  int64 // 0: no limit
}

// DefaultLimits are those of a production tenant: 5 ms of core time, 1 s of
// wall time.
func DefaultLimits() Limits {
	return Limits{
		Fuel:           5 * FuelPerMilli,
		Slice:          512, // about 50 µs in tier 0
		DeadlineMillis: 1000,
		Depth:          256,
		Scratch:        32 << 20,
		ResultSize:     1 << 20,
		LogSize:        8 << 10,
		OverlayWrites:  1024,
		OverlayBytes:   4 << 20,
		SourceSize:     256 << 10,
		SourceDepth:    128,
		Functions:      256,
		LoadFuel:       20 * FuelPerMilli,
		Waiting:        64,
	}
}

// DevelopmentLimits are the defaults with a second of fuel, for development
// tenants and the demo.
func DevelopmentLimits() Limits {
	l := DefaultLimits()
	l.Fuel = 1000 * FuelPerMilli
	l.Scratch = 256 << 20
	return l
}

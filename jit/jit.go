// Package jit is the contract between a tenant's functions and whoever calls
// them, the same for every tier: the invocation, its limits, what it cost and
// how it ended; and the coroutines that long invocations run in.
//
// An Invocation and an Invoker belong to one lcore: the thread that calls
// Invoke, which is the tenant's home lcore after hand-over. Limits are
// read-only once a tenant has them.
package jit

import "shredder/store"

// Status says how an invocation ended.
type Status uint8

const (
	OK          Status = iota
	NoFunction         // the library exports no such function
	BadArgument        // the encoded arguments do not follow the format
	Exception          // the function threw; Outcome has message and position
	Fuel               // the fuel budget is spent
	Killed             // Yield said stop, or a watchdog did
	Deadline           // for the caller's use: Yield said stop because of the wall deadline
	Preempted          // a straight run (Yield nil) spent its first slice: nothing is left behind, run it again with Yield
	TooLarge           // the encoded result exceeds Limits.ResultSize
	Limit              // another limit: call depth, scratch, overlay writes or bytes
	Corrupt            // the tenant's arena is damaged
	Full               // the tenant's quota or the process's budget is used up
	Deopt              // this tier cannot run the call: nothing has happened, run it on another one
)

var statusNames = [...]string{"ok", "no function", "bad argument", "exception", "out of fuel", "killed",
	"deadline", "preempted", "result too large", "limit", "corrupt", "full", "deopt"}

// String names a status for logs and tests.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "unknown"
}

// Cost is what an invocation has used: the receipt.
type Cost struct {
	Fuel          uint64 // units, see Limits.Fuel
	Lookups       uint64 // keys looked up in the store
	BytesRead     uint64 // bytes of values handed to the function
	BytesReturned uint64 // bytes of the encoded result
	Tier          uint8  // TierInterp, TierCompiled
}

// Tiers, as Cost.Tier reports them.
const (
	TierInterp   = 0
	TierCompiled = 1
)

// Invocation is one call of one function. The caller owns it and may reuse it
// for the next call; Function and Args are borrowed for the call. Nothing of
// it is kept by the Invoker after Invoke returns.
type Invocation struct {
	Function  []byte
	Args      []byte // arguments in wire encoding, one behind the other
	ID        uint64 // request.id
	Tenant    string // request.tenant
	NowMillis int64  // request.now, unix ms; frozen for the call, also for expiry and Date
	Seed      uint64 // of Math.random; the same seed gives the same numbers
	// Overlay has already begun. The caller commits it when the outcome is OK
	// and discards it otherwise.
	Overlay *store.Overlay
	Limits  *Limits
	// Result comes in with length 0 and room to append to; it goes out as one
	// encoded result when the outcome is OK. It is grown if need be.
	Result []byte
	// Yield is called at the end of every slice, on the thread that called
	// Invoke; false stops the invocation, which ends Killed. nil makes a
	// straight run: it ends Preempted when its first slice is spent.
	Yield func() bool
	// Log receives console lines and uncaught errors after the call has ended
	// for good, never from a preempted run. text is borrowed. nil drops them.
	Log  func(level uint8, text []byte)
	Cost Cost
}

// Console levels, as Invocation.Log receives them.
const (
	LevelDebug uint8 = iota
	LevelInfo
	LevelWarn
	LevelError
)

// Outcome is how an invocation ended. Message is valid until the Invoker's
// next call; Line and Column (from 1) point into the tenant's source, 0 if
// there is no position.
type Outcome struct {
	Status       Status
	Message      []byte
	Line, Column int
}

// Invoker runs a tenant's functions. It may be called by its home lcore only,
// one invocation at a time, and a suspended one counts as running.
type Invoker interface {
	Invoke(*Invocation) Outcome
}

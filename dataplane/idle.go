package dataplane

import "fmt"

// Strategy says what an lcore does when there is nothing to do.
type Strategy uint8

const (
	// Poll polls on: the lowest latency, one CPU fully used.
	Poll Strategy = iota
	// Adaptive waits in the driver after some idle turns, so that a laptop stays
	// cool. A request that ends a wait is late by up to a wake-up (tens of microseconds).
	Adaptive
)

// ParseStrategy reads "poll" or "adaptive".
func ParseStrategy(s string) (Strategy, error) {
	switch s {
	case "poll":
		return Poll, nil
	case "adaptive":
		return Adaptive, nil
	}
	return 0, fmt.Errorf("idle strategy %q: want poll or adaptive", s)
}

func (s Strategy) String() string {
	if s == Adaptive {
		return "adaptive"
	}
	return "poll"
}

// An adaptive lcore spins for spinTurns turns, then waits from minWaitNanos on,
// doubling up to maxWaitNanos. The upper end bounds how late a mailbox is read.
const (
	spinTurns    = 2_000
	minWaitNanos = 50_000
	maxWaitNanos = 2_000_000
)

type backoff struct {
	idleTurns int
	waitNanos int64
}

func (b *backoff) reset() { *b = backoff{} }

// next returns how long to wait after one more idle turn, 0 for not at all.
func (b *backoff) next() int64 {
	b.idleTurns++
	if b.idleTurns <= spinTurns {
		return 0
	}
	b.waitNanos = min(max(2*b.waitNanos, minWaitNanos), maxWaitNanos)
	return b.waitNanos
}

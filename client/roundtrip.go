package client

import (
	"sync/atomic"
	"time"
)

// Retry timers. A loopback or a rack answers in microseconds, a garbage
// collection of either side takes a few milliseconds: 20 ms sends hardly any
// copy for nothing.
const (
	minRetry  = 20 * time.Millisecond
	callRetry = 100 * time.Millisecond
	tryRetry  = time.Second
	maxRetry  = time.Second
)

// roundTrip estimates the retransmission timeout as RFC 6298 does, from
// requests that were sent once (Karn) and call no function. Both words are
// nanoseconds; two writers may lose an update, which does no harm.
type roundTrip struct {
	smoothed, variation atomic.Int64
}

func (t *roundTrip) sample(d time.Duration) {
	sample := int64(d)
	smoothed := t.smoothed.Load()
	if smoothed == 0 {
		t.smoothed.Store(sample)
		t.variation.Store(sample / 2)
		return
	}
	diff := sample - smoothed
	t.smoothed.Store(smoothed + diff/8)
	if diff < 0 {
		diff = -diff
	}
	t.variation.Store(t.variation.Load() + (diff-t.variation.Load())/4)
}

// timeout is when to send a second copy.
func (t *roundTrip) timeout() time.Duration {
	d := time.Duration(t.smoothed.Load() + 4*t.variation.Load())
	return min(max(d, minRetry), maxRetry)
}

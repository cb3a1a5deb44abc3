// Package regime measures how far apart two CPUs are: the time that a cache
// line takes from one to the other. On a virtual machine they move between
// cores of the host, and rates of anything that crosses them move 2 to 5 times
// with it; results are comparable only within one regime.
//
// Measure may be called from any goroutine, one at a time.
package regime

import (
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// tolerance is by how much two distances of one regime may differ: the
// regimes seen lie at 52, 135 and 590 ns.
const tolerance = 1.4

const (
	rounds    = 2_000
	batches   = 9
	spinLimit = 200 * time.Millisecond // of one batch
)

// Distance is the time for one crossing of a cache line, in nanoseconds.
type Distance float64

// Same says whether two distances are of one regime.
func Same(a, b Distance) bool {
	return a > 0 && b > 0 && max(a, b) <= tolerance*min(a, b)
}

// line is a word alone on its cache lines.
type line struct {
	_ [128]byte
	v atomic.Uint32
	_ [124]byte
}

// Measure bounces a line between two CPUs and returns the median of several
// batches. It fails if a CPU cannot be had.
func Measure(first, second int) (Distance, error) {
	var ball line
	var stop atomic.Bool
	ready := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		restore, err := pin(second)
		ready <- err
		if err != nil {
			return
		}
		defer restore()
		for !stop.Load() {
			if v := ball.v.Load(); v&1 == 1 {
				ball.v.Store(v + 1)
			}
		}
	}()
	err := <-ready
	if err == nil {
		var restore func()
		if restore, err = pin(first); err == nil {
			defer restore()
		}
	}
	if err != nil {
		stop.Store(true)
		<-done
		return 0, err
	}
	times := make([]float64, 0, batches)
	for range batches {
		times = append(times, batch(&ball))
	}
	stop.Store(true)
	<-done
	slices.Sort(times)
	return Distance(times[len(times)/2]), nil
}

// batch returns the nanoseconds a crossing over some rounds of two crossings.
func batch(ball *line) float64 {
	start := time.Now()
	played := 0
	for ; played < rounds && time.Since(start) < spinLimit; played++ {
		v := ball.v.Load()
		ball.v.Store(v + 1)
		for ball.v.Load() == v+1 {
			if time.Since(start) > spinLimit {
				break
			}
		}
	}
	return float64(time.Since(start).Nanoseconds()) / float64(2*played)
}

// pin locks the goroutine to its thread and the thread to a CPU.
func pin(cpu int) (restore func(), err error) {
	runtime.LockOSThread()
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("pin to CPU %d: %w", cpu, err)
	}
	return func() {
		_ = unix.SchedSetaffinity(0, &before) // was allowed before
		runtime.UnlockOSThread()
	}, nil
}

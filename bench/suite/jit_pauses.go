package suite

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"shredder/bench/engine"
	"shredder/bench/report"
	"shredder/jit"
	"shredder/store"
)

// longCalls are functions whose slices take long: many cheap turns, turns that cost
// more than others, and operations on whole values, which pay by size.
var longCalls = []struct{ name, source string }{
	{"spin", `export function f(n) { let s = 0; for (let i = 0; i < n * 1000; i++) s = (s + i) % 1000003; return s }`},
	{"divide", `export function f(n) {
  let a = 1.5, b = 2.5, c = 3.5, d = 4.5;
  for (let i = 0; i < n * 100; i++) { a = Math.sqrt(a / b + c) / d; b = a / c + d / b; c = Math.sqrt(b * d) / a; d = c / a + b / c; }
  return a + b + c + d;
}`},
	{"lookups", `export function f(n) { let k = 1; for (let i = 0; i < n * 100; i++) k = (store.u32At(k % 1000, 0) ?? 0) + i; return k }`},
	{"fill", `export function f(n) { const a = new Uint8Array(500000); for (let i = 0; i < n; i++) a.fill(i & 255); return a[7] }`},
	{"includes", `export function f(n) { const v = store.u8(5000); if (v === undefined) return -1; let s = 0; for (let i = 0; i < n; i++) s += v.includes(200) ? 1 : 0; return s }`},
	{"copy", `export function f(n) { const a = new Uint8Array(400000), b = new Uint8Array(400000); for (let i = 0; i < n; i++) a.set(b); return a[7] }`},
}

// pauseBound is what the issue allows, in nanoseconds.
const pauseBound = 200_000

// jitPauses measures how long a collection stops the world while compiled calls run
// on the other CPU, slice by slice, beside collections while nothing runs.
func (l *lab) jitPauses() error {
	length := 2 * time.Second
	if l.Quick {
		length = 300 * time.Millisecond
	}
	idle, n := l.collect(length)
	l.Log("no calls: %d collections, longest pause %.0f ns", n, idle)
	for _, long := range longCalls {
		longest, collections, err := l.collectBeside(long.source, length)
		if err != nil {
			return fmt.Errorf("%s: %w", long.name, err)
		}
		l.Log("%s: %d collections, longest pause %.0f ns", long.name, collections, longest)
		r := report.Row{Name: "pauses-" + long.name, Unit: "ns", Value: longest, Peer: "no calls", PeerValue: idle, Ratio: report.Ratio(longest, idle),
			Note: fmt.Sprintf("longest of %d stops for a collection (upper end of its bucket), slices of %d fuel; the bound is %d", collections, jit.DefaultLimits().Slice, pauseBound)}
		if idle > pauseBound {
			r.Invalid = fmt.Sprintf("without any call the longest of %d stops is %.0f ns: the machine was not quiet", n, idle)
		}
		l.add(r)
	}
	return nil
}

// collectBeside collects while calls of f follow one another on the servers' CPU.
func (l *lab) collectBeside(source string, length time.Duration) (longest float64, collections int, err error) {
	records := engine.Records(1_000, 128)
	records.Entries = append(records.Entries, engine.Entry{Int: 5000, Value: make([]byte, store.MaxValueSize)})
	shard, err := records.Shard()
	if err != nil {
		return 0, 0, err
	}
	defer shard.Close()
	e, err := engine.Compiled(shard, source)
	if err != nil {
		return 0, 0, err
	}
	e.SetSlice(jit.DefaultLimits().Slice)
	if _, err := e.Number("f", 1); err != nil { // compiled by now
		return 0, 0, errors.Join(err, e.Close())
	}
	var stop atomic.Bool
	ended := make(chan error, 1)
	shard.HandOver()
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends pinned
		var set unix.CPUSet
		set.Set(l.ServerCPU)
		err := unix.SchedSetaffinity(0, &set)
		for err == nil && !stop.Load() {
			_, err = e.Number("f", 30)
		}
		shard.HandOver()
		ended <- err
	}()
	longest, collections = l.collect(length)
	stop.Store(true)
	return longest, collections, errors.Join(<-ended, e.Close())
}

// collect runs collections for so long and returns the longest stop of the world
// among them, in nanoseconds, and how many there were.
func (l *lab) collect(length time.Duration) (longest float64, collections int) {
	before := pauses()
	for begin := time.Now(); time.Since(begin) < length; collections++ {
		runtime.GC()
		time.Sleep(200 * time.Microsecond)
	}
	after := pauses()
	for i := range after.Counts {
		if after.Counts[i] > before.Counts[i] {
			if longest = 1e9 * after.Buckets[i+1]; math.IsInf(longest, 1) {
				longest = 1e9 * after.Buckets[i]
			}
		}
	}
	return longest, collections
}

func pauses() *metrics.Float64Histogram {
	s := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	h := *s[0].Value.Float64Histogram()
	h.Counts = append([]uint64(nil), h.Counts...)
	return &h
}

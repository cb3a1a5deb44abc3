package suite

import (
	"fmt"
	"time"

	"shredder/bench/regime"
	"shredder/bench/report"
)

// contestant runs a workload for so long, once at least, and returns the median
// nanoseconds of a call and its result.
type contestant interface {
	Run(length time.Duration, function string, args ...int64) (nanos, result float64, err error)
}

// entrant is one engine in a contest.
type entrant struct {
	name string
	contestant
	function string // "": that of the contest
}

// local is an engine of this process: a function that makes one call.
type local func(function string, args ...int64) (float64, error)

// Run implements contestant.
func (f local) Run(length time.Duration, function string, args ...int64) (nanos, result float64, err error) {
	var times []float64
	for begin := time.Now(); len(times) == 0 || time.Since(begin) < length; {
		start := time.Now()
		if result, err = f(function, args...); err != nil {
			return 0, 0, err
		}
		times = append(times, float64(time.Since(start).Nanoseconds()))
	}
	return report.Median(times), result, nil
}

// contest is one workload, measured on several engines in turns.
type contest struct {
	name     string
	function string
	args     []int64
	// per is how many of what the row counts a call does; note says what.
	per  float64
	note string
	// want is the result, 0 if it is only to be the same everywhere.
	want float64
	// entrants; the first one is ours, a row is added for each other.
	entrants []entrant
}

// slice is how long one engine runs at a time.
func (l *lab) slice() time.Duration {
	if l.Quick {
		return 15 * time.Millisecond
	}
	return 150 * time.Millisecond
}

// hold measures a contest: a round warms up, then every engine runs in each round,
// and rounds within which the distance of the CPUs changed do not count.
func (l *lab) hold(c contest) error {
	l.Log("%s", c.name)
	values := make([][]float64, len(c.entrants))
	one := func(i int) (float64, error) {
		e := c.entrants[i]
		function := c.function
		if e.function != "" {
			function = e.function
		}
		nanos, result, err := e.Run(l.slice(), function, c.args...)
		if err != nil {
			return 0, fmt.Errorf("%s on %s: %w", c.name, e.name, err)
		}
		if c.want == 0 {
			c.want = result
		}
		if result != c.want {
			return 0, fmt.Errorf("%s on %s gives %v, want %v", c.name, e.name, result, c.want)
		}
		return nanos / c.per, nil
	}
	for i := range c.entrants {
		if _, err := one(i); err != nil {
			return err
		}
	}
	var distances []float64
	discarded := 0
	before, err := regime.Measure(l.ServerCPU, l.ClientCPU)
	if err != nil {
		return err
	}
	for tries := 0; len(distances) < 2*l.pairs() && tries < 3*l.pairs(); tries++ {
		round := make([]float64, len(c.entrants))
		for i := range round {
			if round[i], err = one(i); err != nil {
				return err
			}
		}
		after, err := regime.Measure(l.ServerCPU, l.ClientCPU)
		if err != nil {
			return err
		}
		if regime.Same(before, after) {
			for i, nanos := range round {
				values[i] = append(values[i], nanos)
			}
			distances = append(distances, float64(before), float64(after))
		} else {
			discarded++
		}
		before = after
	}
	ours := report.Median(values[0])
	for i, e := range c.entrants[1:] {
		theirs := report.Median(values[i+1])
		r := report.Row{
			Name: c.name, Unit: "ns", Value: ours, Peer: e.name, PeerValue: theirs, Ratio: report.Ratio(ours, theirs), Note: c.note,
			Distances: distances, Pairs: len(values[0]), Discarded: discarded,
		}
		if len(values[0]) == 0 {
			r.Invalid = "the distance of the CPUs changed within every round"
		}
		l.add(r)
		l.Log("  %-18s %.4g against %.4g: %.3f", e.name, ours, theirs, r.Ratio)
	}
	return nil
}

// Package suite holds the measurements of scripts/bench.sh. A suite runs its
// servers on one CPU and its traffic on another, two sides at a time, one
// paused while the other is measured, in turns, and judges the medians.
//
// Everything runs on one locked thread, that of Run.
package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"shredder/bench/peer"
	"shredder/bench/regime"
	"shredder/bench/report"
)

// Options of a run of one suite.
type Options struct {
	Suite  string
	Part   string // only this part of the suite; empty: all of it
	Quick  bool
	Commit string
	// Shredderd is the daemon's binary, built with DPDK.
	Shredderd string
	// GapLoop is the binary of bench/gaploop.
	GapLoop string
	// ServerCPU runs the servers, ClientCPU the traffic.
	ServerCPU, ClientCPU int
	// Graph is the path of the ego-Facebook file, Models that of two trained
	// networks; absent: a generated graph, made-up weights.
	Graph, Models string
	// Log gets progress, a line each.
	Log func(format string, args ...any)
}

// suites by name.
var suites = map[string]func(*lab) error{
	"null":      (*lab).null,
	"kv":        (*lab).kv,
	"gaps":      (*lab).gaps,
	"functions": (*lab).functions,
	"jit":       (*lab).jit,
	"resp":      (*lab).resp,
}

// Names of the suites, in the order in which a reader wants them.
func Names() []string { return []string{"null", "kv", "gaps", "functions", "jit", "resp"} }

// lab is the state of a run: what was started and what was found.
type lab struct {
	Options
	dir      string // sockets and files of this run
	cleanups []func()
	report   report.Report
}

// Run measures one suite. A report comes back even with an error, holding the
// rows measured before it.
func Run(o Options) (report.Report, error) {
	measure, known := suites[o.Suite]
	if !known {
		return report.Report{}, fmt.Errorf("suite %q: want one of %s", o.Suite, strings.Join(Names(), ", "))
	}
	runtime.LockOSThread()
	debug.SetGCPercent(-1) // as in the daemon: garbage is collected at the limit
	debug.SetMemoryLimit(daemonHeap)
	var set unix.CPUSet
	set.Set(o.ClientCPU)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return report.Report{}, fmt.Errorf("pin to CPU %d: %w", o.ClientCPU, err)
	}
	dir, err := os.MkdirTemp("", "shredder-suite")
	if err != nil {
		return report.Report{}, err
	}
	l := &lab{Options: o, dir: dir}
	l.report = report.Report{Suite: o.Suite, Commit: o.Commit, Machine: machine(), Quick: o.Quick}
	err = measure(l)
	l.cleanUp()
	return l.report, errors.Join(err, os.RemoveAll(dir))
}

// part of a suite that can be run alone.
type part struct {
	name string
	run  func() error
}

// parts runs the parts that were asked for, ending each part's servers with it.
func (l *lab) parts(all []part) error {
	ran := false
	for _, p := range all {
		if l.Part != "" && l.Part != p.name {
			continue
		}
		ran = true
		err := p.run()
		l.cleanUp()
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	if !ran {
		return fmt.Errorf("suite %s has no part %q", l.Suite, l.Part)
	}
	return nil
}

// cleanUp ends what was started, the latest first.
func (l *lab) cleanUp() {
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
	l.cleanups = nil
}

// machine names the CPU.
func machine() string {
	b, _ := os.ReadFile("/proc/cpuinfo") // absent: only the count
	model := "unknown CPU"
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%s, %d CPUs, %s", model, runtime.NumCPU(), runtime.Version())
}

func (l *lab) later(f func()) { l.cleanups = append(l.cleanups, f) }

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// length is how long one measurement lasts, pairs how many pairs are wanted.
func (l *lab) length() time.Duration {
	if l.Quick {
		return 250 * time.Millisecond
	}
	return time.Second
}

func (l *lab) pairs() int {
	if l.Quick {
		return 3
	}
	return 7
}

// side is one of two servers under the same load.
type side struct {
	name string
	// process is paused while the other side is measured; nil for one that
	// sleeps when it has nothing to do.
	process *peer.Process
	// run measures once. rate is what to offer in a flood, 0 to find out.
	run func(rate float64, length time.Duration) (sample, error)
}

// sample is one measurement; rates are of operations a second.
type sample struct {
	rate, offered float64
	busyNanos     float64 // per request, 0 if unknown
	p50, p99      float64
	// slack says why a closed loop did not saturate the server, else "".
	slack string
}

func (s *side) with(f func() error) error {
	if s.process == nil {
		return f()
	}
	if err := s.process.Resume(); err != nil {
		return err
	}
	return errors.Join(f(), s.process.Pause())
}

// comparison collects the samples of two sides.
type comparison struct {
	a, b      side
	as, bs    []sample
	distances []float64
	discarded int
	// own: the sides' requests differ in size, so each is offered, and judged
	// by, its own multiple.
	own bool
}

// offerFactor leaves room above report.OfferFactor for the servers' own noise.
const offerFactor = 1.5

// loading is how the sides of a comparison are loaded.
type loading uint8

const (
	closedLoop loading = iota // as their run functions do
	flooded                   // both with one rate, above what the faster serves
	floodedOwn                // each above what it serves itself: their requests differ in size
)

// compare measures a and b in turns until enough pairs lie within one regime.
func (l *lab) compare(a, b side, how loading) (*comparison, error) {
	c := &comparison{a: a, b: b, own: how == floodedOwn}
	var rates [2]float64
	for i, s := range []*side{&c.a, &c.b} {
		if err := s.with(func() error {
			first, err := s.run(0, l.length()/4)
			rates[i] = offerFactor * first.rate
			return err
		}); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	switch how {
	case closedLoop:
		rates = [2]float64{}
	case flooded:
		rates[0] = max(rates[0], rates[1])
		rates[1] = rates[0]
	}
	before, err := regime.Measure(l.ServerCPU, l.ClientCPU)
	if err != nil {
		return nil, err
	}
	for tries := 0; len(c.as) < l.pairs() && tries < 3*l.pairs(); tries++ {
		pair := [2]sample{}
		for i, s := range []*side{&c.a, &c.b} {
			if err := s.with(func() (err error) {
				pair[i], err = s.run(rates[i], l.length())
				return err
			}); err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
		}
		after, err := regime.Measure(l.ServerCPU, l.ClientCPU)
		if err != nil {
			return nil, err
		}
		l.Log("  %-22s %.4g against %.4g, CPUs %.0f and %.0f ns apart", a.name+" / "+b.name, pair[0].rate, pair[1].rate, before, after)
		if regime.Same(before, after) {
			c.as, c.bs = append(c.as, pair[0]), append(c.bs, pair[1])
			c.distances = append(c.distances, float64(before), float64(after))
		} else {
			c.discarded++
		}
		before = after
	}
	return c, nil
}

// medians of one field over the pairs.
func medians(samples []sample, field func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = field(s)
	}
	return report.Median(values)
}

// row makes a row of c out of one field. For a rate, the rule of the load
// offered is applied; a closed loop says how busy the servers were instead.
func (c *comparison) row(name, unit, where string, field func(sample) float64) report.Row {
	a, b := medians(c.as, field), medians(c.bs, field)
	busy := func(s sample) float64 { return s.busyNanos }
	r := report.Row{
		Name: name, Unit: unit, Value: a, Peer: c.b.name, PeerValue: b, Ratio: report.Ratio(a, b), Where: where,
		BusyNanos: medians(c.as, busy), PeerBusyNanos: medians(c.bs, busy),
		Distances: c.distances, Pairs: len(c.as), Discarded: c.discarded,
	}
	if len(c.as) == 0 {
		r.Invalid = "the distance of the CPUs changed within every pair"
		return r
	}
	if unit != "ops/s" {
		return r
	}
	offered := func(s sample) float64 { return s.offered }
	offeredA, offeredB := medians(c.as, offered), medians(c.bs, offered)
	if r.Offered = min(offeredA, offeredB); r.Offered > 0 {
		if c.own {
			r.Offered = offeredA
			r.Invalid = report.Judge(offeredA, a, 0)
			if r.Invalid == "" {
				r.Invalid = report.Judge(offeredB, 0, b)
			}
			return r
		}
		r.Invalid = report.Judge(r.Offered, a, b)
		return r
	}
	faster := c.as[len(c.as)-1]
	if b > a {
		faster = c.bs[len(c.bs)-1]
	}
	r.Invalid = faster.slack
	return r
}

func (l *lab) add(rows ...report.Row) { l.report.Results = append(l.report.Results, rows...) }

func rate(s sample) float64 { return s.rate }
func p50(s sample) float64  { return s.p50 }
func p99(s sample) float64  { return s.p99 }

package suite

import (
	"strings"
	"testing"
	"time"

	"shredder/bench/graph"
	"shredder/bench/load"
	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
)

func samples(rates ...float64) (s []sample) {
	for _, r := range rates {
		s = append(s, sample{rate: r, offered: 20, busyNanos: 1000 / r, p50: r})
	}
	return s
}

func TestRowTakesMediansAndJudges(t *testing.T) {
	c := &comparison{b: side{name: "peer"}, as: samples(9, 11, 10), bs: samples(12, 10, 11), distances: []float64{50, 51}, discarded: 2}
	r := c.row("get", "ops/s", "memif", rate)
	if r.Value != 10 || r.PeerValue != 11 || r.Ratio != 10.0/11 || r.Peer != "peer" || r.BusyNanos != 100 || r.Pairs != 3 || r.Discarded != 2 || r.Invalid != "" {
		t.Errorf("%+v", r)
	}
	c.bs = samples(17, 17, 17)
	if r := c.row("get", "ops/s", "memif", rate); r.Invalid == "" || r.Offered != 20 {
		t.Errorf("offered 20 against 17 counts: %+v", r)
	}
	if r := c.row("rtt-p50", "ns", "memif", p50); r.Invalid != "" {
		t.Errorf("the rule for rates was applied to a latency: %+v", r)
	}
	c.own = true // each side judged by its own
	c.bs = []sample{{rate: 100, offered: 130}}
	if r := c.row("get-8", "ops/s", "memif", rate); r.Invalid != "" {
		t.Errorf("%+v", r)
	}
	c.bs[0].offered = 110
	if r := c.row("get-8", "ops/s", "memif", rate); r.Invalid == "" {
		t.Errorf("%+v", r)
	}
}

func TestRowWithoutPairsIsInvalid(t *testing.T) {
	c := &comparison{discarded: 9}
	if r := c.row("get", "ops/s", "memif", rate); r.Invalid == "" {
		t.Errorf("%+v", r)
	}
}

func TestClosedLoopNeedsABusyServer(t *testing.T) {
	c := &comparison{as: []sample{{rate: 5}}, bs: []sample{{rate: 4}}}
	c.as[0].slack = slack(0.5e9)
	if r := c.row("get", "ops/s", "kernel UDP", rate); !strings.Contains(r.Invalid, "50 %") {
		t.Errorf("a server idle half of the time counts: %+v", r)
	}
	c.as[0].slack = slack(0.97e9)
	if r := c.row("get", "ops/s", "kernel UDP", rate); r.Invalid != "" {
		t.Errorf("%+v", r)
	}
}

func TestUnknownSuiteAndPart(t *testing.T) {
	if _, err := Run(Options{Suite: "speed"}); err == nil || !strings.Contains(err.Error(), "functions") {
		t.Errorf("error is %v, want one that names the suites", err)
	}
	ran, cleaned := 0, 0
	l := &lab{Options: Options{Suite: "x", Part: "b"}}
	all := []part{{"a", func() error { ran += 10; return nil }}, {"b", func() error {
		ran++
		l.later(func() { cleaned++ })
		return nil
	}}}
	if err := l.parts(all); err != nil || ran != 1 || cleaned != 1 {
		t.Errorf("ran %d, cleaned %d, %v", ran, cleaned, err)
	}
	l.Part = "c"
	if err := l.parts(all); err == nil {
		t.Error("an unknown part was accepted")
	}
}

// TestStylesGiveTheKnownAnswers runs every style once, on the generated graph.
func TestStylesGiveTheKnownAnswers(t *testing.T) {
	entries := graph.Entries(graph.Generate())
	for _, style := range countStyles {
		e, err := newInterpreter(style.source)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if err := e.set(uint64(entry.Key), entry.Value); err != nil {
				t.Fatal(err)
			}
		}
		for depth := 2; depth <= graphDepth; depth++ { // the batch style begins at 2
			want := graph.GeneratedAnswers[depth-1]
			b, err := e.call(wire.AppendInt(wire.AppendInt(nil, 0), int64(depth)))
			if err != nil {
				t.Fatal(err)
			}
			a, _, st := wire.FirstArg(b)
			if st != wire.StatusOK || a.Tag() != wire.TagInt || uint64(a.Int()) != want {
				t.Errorf("%s: depth %d gives % x, want %d", style.name, depth, b, want)
			}
			if got := native(e.shard, 0, depth); got != want {
				t.Errorf("native: depth %d gives %d, want %d", depth, got, want)
			}
		}
		if err := e.shard.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, style := range projectionStyles {
		e, err := newInterpreter(style.source)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.set(1, []byte{9, 0, 0, 0, 5, 5, 5, 5}); err != nil {
			t.Fatal(err)
		}
		b, err := e.call(wire.AppendInt(nil, 1))
		if a, _, st := wire.FirstArg(b); err != nil || st != wire.StatusOK ||
			a.Tag() == wire.TagInt && a.Int() != 9 || a.Tag() == wire.TagBytes && string(a.Bytes()) != "\x09\x00\x00\x00" {
			t.Errorf("%s gives % x, %v", style.name, b, err)
		}
	}
}

// TestLibraryCompiles guards the functions that tenants of the suite deploy.
func TestLibraryCompiles(t *testing.T) {
	e, err := newInterpreter(library)
	if err != nil {
		t.Fatal(err)
	}
	if names := strings.Join(e.run.Program().Functions(), " "); names != "empty loop touch" {
		t.Errorf("the library exports %q", names)
	}
}

func TestWorkloadsAreValid(t *testing.T) {
	for _, w := range kvWorkloads() {
		w.cfg.Local, w.cfg.Remote = clientEnd, serverEnd
		if w.cfg.Keys > smallKeys {
			w.cfg.Keys = smallKeys // a large Zipf takes a second to set up
		}
		if _, err := load.New(nullQueue{}, w.cfg); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
	}
}

// nullQueue is a device that nobody uses.
type nullQueue struct{ nic.Queue }

func TestEachReportsAnError(t *testing.T) {
	calls := 0
	ns, err := each(time.Millisecond, func(int) error { calls++; return nil })
	if err != nil || ns <= 0 || calls == 0 {
		t.Errorf("%v ns after %d calls: %v", ns, calls, err)
	}
}

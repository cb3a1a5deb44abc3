package load

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"shredder/pktproc/wire"
)

// Result is what one run measured. Rates are per second of the time in which
// requests were sent.
type Result struct {
	Mode    string  `json:"mode"` // closed, open or flood
	Seconds float64 `json:"seconds"`
	// Depth of a closed loop; Rate that an open loop or a flood was to offer.
	Depth int     `json:"depth,omitempty"`
	Rate  float64 `json:"rate,omitempty"`
	// Offered counts the datagrams that were due, Sent those that the device
	// took. A closed loop offers what it sends. A flood drops what finds the
	// device full, as a network does; it counts as offered.
	Offered uint64 `json:"offered"`
	Sent    uint64 `json:"sent"`
	// Received counts replies, Duplicates those whose request was answered (or
	// given up) before, Lost requests without a reply within the timeout.
	// Foreign frames are neither replies nor neighbour discovery.
	Received   uint64 `json:"received"`
	Duplicates uint64 `json:"duplicates"`
	Lost       uint64 `json:"lost"`
	Foreign    uint64 `json:"foreign"`
	// OpsPerDatagram operations stood in each datagram.
	OpsPerDatagram int `json:"ops_per_datagram"`
	// Statuses of operations by name. In a flood they are of a sample: one
	// frame in SampledBy.
	Statuses  map[string]uint64 `json:"statuses"`
	SampledBy int               `json:"sampled_by,omitempty"`
	// Latency in nanoseconds, from the intended time of sending; none in a flood.
	Latency *Latency `json:"latency,omitempty"`
}

// Latency is a summary of an HDR histogram, in nanoseconds.
type Latency struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   int64   `json:"p50"`
	P90   int64   `json:"p90"`
	P99   int64   `json:"p99"`
	P999  int64   `json:"p999"`
	P9999 int64   `json:"p9999"`
	Max   int64   `json:"max"`
}

// maxLatencyNanos is the highest latency that is told apart: ten seconds.
const maxLatencyNanos = 10_000_000_000

// newHistogram keeps three significant digits.
func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, maxLatencyNanos, 3) }

func summarize(h *hdrhistogram.Histogram) *Latency {
	return &Latency{
		Count: h.TotalCount(), Mean: h.Mean(),
		P50: h.ValueAtQuantile(50), P90: h.ValueAtQuantile(90), P99: h.ValueAtQuantile(99),
		P999: h.ValueAtQuantile(99.9), P9999: h.ValueAtQuantile(99.99), Max: h.Max(),
	}
}

// OfferedRate is datagrams offered a second.
func (r *Result) OfferedRate() float64 { return float64(r.Offered) / r.Seconds }

// ReplyRate is replies a second.
func (r *Result) ReplyRate() float64 { return float64(r.Received) / r.Seconds }

// Failed counts statuses other than OK.
func (r *Result) Failed() (n uint64) {
	for name, count := range r.Statuses {
		if name != wire.StatusOK.String() {
			n += count
		}
	}
	return n
}

// begin starts the books of a run; exact runs match replies with requests.
func (g *Generator) begin(mode string, exact bool) {
	g.run = run{exact: exact}
	g.run.result = Result{Mode: mode, OpsPerDatagram: g.cfg.OpsPerDatagram}
	for i := range g.flows {
		fl := &g.flows[i]
		fl.oldest = fl.next
		for s := range fl.slots {
			fl.slots[s].open = false
		}
	}
	if exact {
		g.run.latency = newHistogram()
	} else {
		g.run.result.SampledBy = floodSample
	}
}

// end closes the books of a run that sent from start to stop.
func (g *Generator) end(start, stop int64) Result {
	r := &g.run.result
	r.Seconds = float64(stop-start) / float64(time.Second)
	r.Statuses = make(map[string]uint64)
	for i, count := range g.run.statuses {
		if count == 0 {
			continue
		}
		name := "unknown"
		if i < wire.Statuses {
			name = wire.Status(i).String()
		}
		r.Statuses[name] = count
	}
	if g.run.latency != nil {
		r.Latency = summarize(g.run.latency)
	}
	return *r
}

// Print writes r as text.
func (r *Result) Print(w io.Writer) error {
	ops := float64(r.OpsPerDatagram)
	_, err := fmt.Fprintf(w, "%s for %.2f s: offered %.0f, sent %d, received %d datagrams (%.0f/s, %.0f operations/s); lost %d, duplicates %d, foreign %d\n",
		r.Mode, r.Seconds, float64(r.Offered), r.Sent, r.Received, r.ReplyRate(), ops*r.ReplyRate(), r.Lost, r.Duplicates, r.Foreign)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(r.Statuses))
	for name := range r.Statuses {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if _, err := fmt.Fprintf(w, "  %-12s %d\n", name, r.Statuses[name]); err != nil {
			return err
		}
	}
	if l := r.Latency; l != nil {
		_, err = fmt.Fprintf(w, "  latency ns: mean %.0f  p50 %d  p90 %d  p99 %d  p99.9 %d  p99.99 %d  max %d\n",
			l.Mean, l.P50, l.P90, l.P99, l.P999, l.P9999, l.Max)
	}
	return err
}

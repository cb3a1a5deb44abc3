// Package report is what a suite says in the end: rows with their peers, judged
// by the rules of the ledger, as a table and as JSON. Pure functions.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

// OfferFactor is by how much the load offered must exceed what the faster side
// served for a rate to count: else generator or device was the limit.
const OfferFactor = 1.2

// Report is a suite's outcome.
type Report struct {
	Suite  string `json:"suite"`
	Commit string `json:"commit"`
	// Machine is the CPU model and count, Quick whether runs were short.
	Machine string `json:"machine"`
	Quick   bool   `json:"quick"`
	Results []Row  `json:"results"`
}

// Row is one comparison: medians over interleaved runs.
type Row struct {
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
	Peer      string  `json:"peer"`
	PeerValue float64 `json:"peer_value"`
	// Ratio is Value / PeerValue.
	Ratio float64 `json:"ratio"`
	// Invalid says why the row does not count; empty if it does.
	Invalid string `json:"invalid,omitempty"`
	// Offered is the load offered, in the unit of Value; 0 for a closed loop.
	Offered float64 `json:"offered,omitempty"`
	// BusyNanos is the serving core's time per request without idle polls.
	BusyNanos     float64 `json:"busy_ns,omitempty"`
	PeerBusyNanos float64 `json:"peer_busy_ns,omitempty"`
	// Where is the device, Depth the requests in flight of a closed loop.
	Where string `json:"where,omitempty"`
	Depth int    `json:"depth,omitempty"`
	// Distances of the two CPUs, in ns, over the pairs that counted; Pairs is
	// their number, Discarded that of pairs whose regime changed.
	Distances []float64 `json:"cpu_distance_ns,omitempty"`
	Pairs     int       `json:"pairs,omitempty"`
	Discarded int       `json:"discarded,omitempty"`
	Note      string    `json:"note,omitempty"`
}

// Judge says why a rate does not count, or "".
func Judge(offered, value, peerValue float64) string {
	if faster := max(value, peerValue); offered < OfferFactor*faster {
		return fmt.Sprintf("offered %.3g, less than %.1f times the faster side's %.3g: generator or device was the limit", offered, OfferFactor, faster)
	}
	return ""
}

// Median of values, the mean of the middle two of an even number; 0 of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// Ratio is a/b, 0 if b is 0.
func Ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Print writes the table.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "name\tvalue\tunit\tpeer\tpeer value\tratio\tbusy ns\tpeer's\toffered\twhere\tdepth\tpairs\tCPU distance ns\t\n")
	for _, row := range r.Results {
		fmt.Fprintf(t, "%s\t%.4g\t%s\t%s\t%.4g\t%.3f\t%s\t%s\t%s\t%s\t%s\t%d-%d\t%s\t%s\n",
			row.Name, row.Value, row.Unit, row.Peer, row.PeerValue, row.Ratio, number(row.BusyNanos), number(row.PeerBusyNanos),
			number(row.Offered), row.Where, number(float64(row.Depth)), row.Pairs, row.Discarded, distances(row.Distances), remark(row))
	}
	return t.Flush()
}

func number(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4g", v)
}

func distances(d []float64) string {
	if len(d) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f..%.0f", slices.Min(d), slices.Max(d))
}

func remark(r Row) string {
	if r.Invalid != "" {
		return "invalid: " + r.Invalid
	}
	return r.Note
}

// Write writes dir/SUITE.json, through a temporary file, so that a reader never
// sees half of it.
func (r *Report) Write(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, r.Suite+".json")
	if err := os.WriteFile(path+".new", append(b, '\n'), 0o644); err != nil {
		return "", err
	}
	return path, os.Rename(path+".new", path)
}

package report

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		offered, value, peer float64
		counts               bool
	}{{12, 10, 9, true}, {11.9, 10, 9, false}, {11.9, 9, 10, false}, {12, 9, 10, true}, {0, 0, 0, true}, {5, 0, 10, false}} {
		if reason := Judge(c.offered, c.value, c.peer); (reason == "") != c.counts {
			t.Errorf("offered %v against %v and %v: %q", c.offered, c.value, c.peer, reason)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{9, 1, 2}, 2}} {
		if got := Median(c.in); got != c.want {
			t.Errorf("Median(%v) = %v", c.in, got)
		}
	}
	in := []float64{3, 1, 2}
	Median(in)
	if in[0] != 3 {
		t.Error("Median changed its argument")
	}
}

func TestForm(t *testing.T) {
	r := Report{Suite: "kv", Commit: "abc", Results: []Row{
		{Name: "get", Value: 9, Unit: "Mops/s", Peer: "testpmd", PeerValue: 10, Ratio: Ratio(9, 10), Offered: 15},
		{Name: "set", Peer: "redis", Invalid: Judge(1, 2, 3)},
	}}
	path, err := r.Write(t.TempDir() + "/out")
	if err != nil || !strings.HasSuffix(path, "/kv.json") {
		t.Fatal(path, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var form struct {
		Suite, Commit string
		Results       []map[string]any
	}
	if err := json.Unmarshal(b, &form); err != nil {
		t.Fatal(err)
	}
	if form.Suite != "kv" || form.Commit != "abc" || len(form.Results) != 2 {
		t.Fatalf("%s", b)
	}
	for _, field := range []string{"name", "value", "unit", "peer", "peer_value", "ratio"} {
		if _, ok := form.Results[0][field]; !ok {
			t.Errorf("no field %q", field)
		}
	}
	if form.Results[0]["ratio"] != 0.9 || form.Results[0]["invalid"] != nil || form.Results[1]["invalid"] == nil {
		t.Errorf("%s", b)
	}
	var table bytes.Buffer
	if err := r.Print(&table); err != nil || strings.Count(table.String(), "\n") != 3 || !strings.Contains(table.String(), "invalid: offered") {
		t.Errorf("%s, %v", table.String(), err)
	}
}

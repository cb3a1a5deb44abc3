package suite

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"shredder/bench/engine"
	"shredder/bench/report"
	"shredder/bench/team"
	"shredder/store"
)

// jitLibrary compares the functions that a storage team would write, compiled and on
// goja: a row for each, and one for all tasks that compile as they were written.
func (l *lab) jitLibrary() error {
	shard, err := store.Open(store.Config{Quota: 64 << 20, Seed: 42})
	if err != nil {
		return err
	}
	l.later(func() { _ = shard.Close() })
	full := false
	team.Fill(func(key store.Key, value []byte) {
		_, r := shard.Set(key, value, store.SetOptions{}, 1)
		full = full || r != store.OK
	}, rand.New(rand.NewPCG(7, 7)))
	if full {
		return fmt.Errorf("the team's records do not fit")
	}
	compiled, err := engine.Compiled(shard, team.Source)
	if err != nil {
		return err
	}
	l.later(func() { _ = compiled.Close() })
	goja, err := engine.Interpreted(shard, team.Source)
	if err != nil {
		return err
	}
	args := map[string][]byte{} // the first call of each function is its largest
	for _, c := range team.Calls() {
		if _, known := args[c.Function]; !known {
			args[c.Function] = c.Args
		}
	}
	var ours, theirs, refused []string
	var values, peers []float64
	least := math.Inf(1)
	for _, task := range team.Tasks {
		value, peer := 0.0, 0.0
		why := ""
		for _, f := range task.Functions {
			if _, err := compiled.Call([]byte(f), args[f]); err != nil {
				why = err.Error()
				l.add(report.Row{Name: "library-20-" + f, Unit: "ns", Peer: "goja", Invalid: "not compiled: " + why})
				continue
			}
			r, err := l.holdCalls("library-20-"+f, f, args[f], compiled, goja)
			if err != nil {
				return err
			}
			value, peer = value+r.Value, peer+r.PeerValue
		}
		if why != "" {
			refused = append(refused, task.Name)
			continue
		}
		gain := report.Ratio(peer, value)
		least = min(least, gain)
		ours, theirs = append(ours, task.Name), append(theirs, fmt.Sprintf("%.0f", gain))
		values, peers = append(values, value), append(peers, peer)
	}
	note := fmt.Sprintf("%d of %d tasks compile unchanged; gains %s, the least %.1f", len(ours), len(team.Tasks), strings.Join(theirs, " "), least)
	if len(refused) > 0 {
		note += "; not compiled: " + strings.Join(refused, ", ")
	}
	value, peer := report.Median(values), report.Median(peers)
	l.add(report.Row{Name: "library-20", Unit: "ns", Value: value, Peer: "goja", PeerValue: peer, Ratio: report.Ratio(value, peer), Note: note})
	return nil
}

// holdCalls compares one call of a function on both tiers and returns its row.
func (l *lab) holdCalls(name, function string, args []byte, compiled, goja *engine.Engine) (report.Row, error) {
	const batch = 20
	on := func(e *engine.Engine) local {
		f := []byte(function)
		return func(string, ...int64) (float64, error) {
			for range batch {
				if _, err := e.Call(f, args); err != nil {
					return 0, err
				}
			}
			return 1, nil
		}
	}
	err := l.hold(contest{name: name, per: batch, note: "a call, arguments decoded and result encoded; what it writes is dropped",
		entrants: []entrant{{name: "compiled", contestant: on(compiled)}, {name: "goja", contestant: on(goja)}}})
	if err != nil {
		return report.Row{}, err
	}
	return l.report.Results[len(l.report.Results)-1], nil
}

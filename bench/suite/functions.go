package suite

import (
	"fmt"
	"os"

	"shredder/bench/engine"
	"shredder/bench/graph"
	"shredder/bench/load"
	"shredder/bench/peer"
	"shredder/bench/report"
	"shredder/pktproc/wire"
)

// Tenants of the functions suite.
const (
	emptyTenant   = 1
	loopingTenant = 2
	foreverTenant = 3
	neighbours    = 100
	firstNeighbor = 100
)

// library is what every tenant of this suite deploys.
const library = `export function empty() {}
export function loop() { for (;;) ; }
export function touch(k) { return store.has(k) }
`

// functions is the suite of the issue about functions.
func (l *lab) functions() error {
	return l.parts([]part{{"engine", l.inProcess}, {"remote", l.remoteCalls}, {"gaps", l.functionGaps}})
}

// inProcess measures the engine without a network, beside its peers.
func (l *lab) inProcess() error {
	g, err := graph.Find(l.Graph)
	if err != nil {
		return err
	}
	l.Log("countFriends over the %s graph, in Redis and Tarantool", g.Name)
	peers, err := l.functionPeers(g)
	if err != nil {
		return err
	}
	l.Log("countFriends, projections and small calls in this process")
	if err := l.countFriends(g, peers); err != nil {
		return err
	}
	if err := l.smallCalls(); err != nil {
		return err
	}
	l.Log("builtins beside their generic form")
	return l.builtins()
}

// functionPeers returns ns a lookup of countFriends(0, 3) by peer.
func (l *lab) functionPeers(g graph.Graph) (map[string]float64, error) {
	lookups := float64(g.Answers[graphDepth-2] + 1)
	set := engine.Graph(g)
	redis, err := peer.StartFunctions(l.ServerCPU, set)
	if err != nil {
		return nil, err
	}
	l.later(func() { _ = redis.Stop() })
	tarantool, err := peer.StartScript("tarantool", l.ServerCPU, l.dir, set)
	if err != nil {
		return nil, err
	}
	l.later(func() { _ = tarantool.Stop() })
	found := map[string]float64{}
	for name, p := range map[string]contestant{"redis FCALL": redis, "tarantool": tarantool} {
		nanos, answer, err := p.Run(l.length(), "countFriends", 0, graphDepth)
		if err != nil {
			return nil, err
		}
		if answer != float64(g.Answers[graphDepth-1]) {
			return nil, fmt.Errorf("%s: countFriends(0, %d) is %v, want %d", name, graphDepth, answer, g.Answers[graphDepth-1])
		}
		found[name] = nanos / lookups
	}
	return found, nil
}

// withLibrary is a tenant that has the library deployed.
func (l *lab) withLibrary(name string, id uint32, quota, file string) map[string]any {
	t := peer.Tenant(name, id, quota)
	t["library"] = file
	return t
}

// callableTenants are the suite's tenants, with their libraries.
func (l *lab) callableTenants() ([]map[string]any, error) {
	file := l.path("library.js")
	if err := os.WriteFile(file, []byte(library), 0o644); err != nil {
		return nil, err
	}
	forever := l.withLibrary("forever", foreverTenant, "16MiB", file)
	forever["limits"] = map[string]any{"fuel": "100s", "deadline": "500ms"}
	tenants := []map[string]any{
		l.withLibrary("empty", emptyTenant, "16MiB", file), l.withLibrary("looping", loopingTenant, "16MiB", file), forever,
	}
	for i := range neighbours {
		tenants = append(tenants, peer.Tenant(fmt.Sprintf("n%03d", i), firstNeighbor+uint32(i), "4MiB"))
	}
	for i := range l.many() {
		tenants = append(tenants, l.withLibrary(fmt.Sprintf("t%05d", i), firstOfMany+uint32(i), "1MiB", file))
	}
	return tenants, nil
}

// remoteCalls measures calls over the network and what they do to neighbours.
func (l *lab) remoteCalls() error {
	tenants, err := l.callableTenants()
	if err != nil {
		return err
	}
	b, err := l.ours(l.memifLink("functions"), tenants, peer.Settings{"runtimes": l.many() + 10})
	if err != nil {
		return err
	}
	for _, measure := range []func(*bench) error{l.emptyCalls, l.quietNeighbours, l.manyFunctions} {
		if err := measure(b); err != nil {
			return err
		}
	}
	return nil
}

// emptyCalls compares calls of an empty function with PINGs.
func (l *lab) emptyCalls(b *bench) error {
	l.Log("empty calls over %s", b.where)
	call, err := b.ourGenerator(load.Config{Mix: []load.Share{{Kind: load.Call, Weight: 1}}, Tenant: emptyTenant, Function: "empty"})
	if err != nil {
		return err
	}
	ping, err := b.ourGenerator(load.Config{Mix: []load.Share{{Kind: load.Ping, Weight: 1}}, Tenant: emptyTenant})
	if err != nil {
		return err
	}
	if err := l.warm(b, call, 1); err != nil {
		return err
	}
	busy := shredderBusy(b.ours)
	c, err := l.compare(
		side{"shredder", b.ours.Process, flood(call, 1, busy, false)},
		side{"ping", b.ours.Process, flood(ping, 1, busy, false)}, flooded)
	if err != nil {
		return err
	}
	l.add(c.row("remote-empty-call", "ops/s", b.where, rate))
	return nil
}

// quietRate is at what rate the neighbours' GETs come: low enough for a core
// that one tenant keeps busy for as long as it may.
const quietRate = 50_000

// quietNeighbours compares the neighbours' latency beside a looping tenant with
// their quiet one.
func (l *lab) quietNeighbours(b *bench) error {
	cfg := load.Config{Mix: []load.Share{{Kind: load.Get, Weight: 1}}, Tenant: firstNeighbor, Tenants: neighbours, Keys: 100, ValueSize: valueSize}
	quiet, err := b.ourGenerator(cfg)
	if err != nil {
		return err
	}
	for _, loud := range []struct {
		name   string
		tenant uint32
	}{{"neighbours-p99", loopingTenant}, {"neighbours-p99-forever", foreverTenant}} {
		l.Log("%s", loud.name)
		cfg.Beside = &load.Beside{Tenant: loud.tenant, Function: "loop", EveryNanos: 1_000_000}
		beside, err := b.ourGenerator(cfg)
		if err != nil {
			return err
		}
		c, err := l.compare(
			side{"beside a loop", b.ours.Process, open(beside, quietRate)},
			side{"quiet", b.ours.Process, open(quiet, quietRate)}, closedLoop)
		if err != nil {
			return err
		}
		r := c.row(loud.name, "ns", b.where, p99)
		r.Note = fmt.Sprintf("open loop of %d GETs a second; bound is quiet × 1.2 + 200 µs = %.0f", quietRate, 1.2*r.PeerValue+200_000)
		l.add(r)
	}
	return nil
}

// manyFunctions compares calls of 10,000 tenants' functions in turn with calls
// of one.
func (l *lab) manyFunctions(b *bench) error {
	row, err := l.inTurn(b, "tenants-functions-10000")
	if err == nil {
		l.add(row)
	}
	return err
}

// inTurn measures that, after every tenant has its runtime, whose memory the note says.
func (l *lab) inTurn(b *bench, name string) (report.Row, error) {
	l.Log("%s: a function each of %d tenants", name, l.many())
	mix := []load.Share{{Kind: load.Call, Weight: 1}}
	one, err := b.ourGenerator(load.Config{Mix: mix, Tenant: emptyTenant, Function: "empty"})
	if err != nil {
		return report.Row{}, err
	}
	each, err := b.ourGenerator(load.Config{Mix: mix, Tenant: firstOfMany, Tenants: l.many(), Function: "empty"})
	if err != nil {
		return report.Row{}, err
	}
	before, err := b.ours.RSS()
	if err != nil {
		return report.Row{}, err
	}
	if err := l.warm(b, each, l.many()); err != nil {
		return report.Row{}, err
	}
	after, err := b.ours.RSS()
	if err != nil {
		return report.Row{}, err
	}
	busy := shredderBusy(b.ours)
	c, err := l.compare(
		side{"10,000 tenants", b.ours.Process, flood(each, 1, busy, false)},
		side{"one tenant", b.ours.Process, flood(one, 1, busy, false)}, flooded)
	if err != nil {
		return report.Row{}, err
	}
	row := c.row(name, "ops/s", b.where, rate)
	row.Note = fmt.Sprintf("in turn; %.1f KiB resident a tenant in all, %.1f of them for its runtime",
		float64(after)/1024/float64(l.many()), float64(after-before)/1024/float64(l.many()))
	return row, nil
}

// functionGaps reads the poll gaps of a daemon that was never paused: all
// tenants made, then each called in turn, so that each gets its runtime.
func (l *lab) functionGaps() error {
	l.Log("poll gaps while %d tenants get their runtimes", l.many())
	tenants, err := l.callableTenants()
	if err != nil {
		return err
	}
	k := l.memifLink("function-gaps")
	s, err := l.shredder(k, tenants, peer.Settings{"runtimes": l.many() + 10})
	if err != nil {
		return err
	}
	b := &bench{ours: s, where: k.name, preloadedFor: map[uint32]bool{}}
	if b.ourQueue, err = l.dial(k, s.Process); err != nil {
		return err
	}
	if b.ourEnd, err = remote(b.ourQueue); err != nil {
		return err
	}
	g, err := b.ourGenerator(load.Config{Mix: []load.Share{{Kind: load.Call, Weight: 1}}, Tenant: firstOfMany, Tenants: l.many(), Function: "empty"})
	if err != nil {
		return err
	}
	if err := warm(g, l.many()); err != nil {
		return err
	}
	if _, err := g.Closed(kernelDepth, 4*l.length()); err != nil {
		return err
	}
	m, err := s.Metrics()
	if err != nil {
		return err
	}
	for _, q := range []struct{ name, quantile string }{{"gap-p9999-functions-10000", "0.9999"}, {"gap-max-functions-10000", "1"}} {
		l.add(report.Row{Name: q.name, Unit: "ns", Where: b.where, Value: 1e9 * m[`shredder_lcore_poll_gap_seconds{lcore="0",quantile="`+q.quantile+`"}`],
			Note: "since the start: tenants made, runtimes made, called in turn"})
	}
	return nil
}

// warm calls until every tenant's runtime is made: until a closed loop of calls
// comes back without a refusal.
func (l *lab) warm(b *bench, g *load.Generator, tenants int) error {
	s := side{name: "warm", process: b.ours.Process}
	return s.with(func() error { return warm(g, tenants) })
}

func warm(g *load.Generator, tenants int) error {
	for range 200 {
		r, err := g.ClosedCount(16, 4*tenants+64)
		if err != nil {
			return err
		}
		if r.Failed() == 0 && r.Lost == 0 && r.Statuses[wire.StatusOK.String()] > 0 {
			return nil
		}
	}
	return fmt.Errorf("functions of %d tenants do not all answer", tenants)
}

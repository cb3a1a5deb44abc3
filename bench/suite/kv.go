package suite

import (
	"fmt"

	"shredder/bench/load"
	"shredder/bench/peer"
	"shredder/bench/report"
	"shredder/dataplane/nic"
)

// Tenants of the kv suite.
const (
	smallTenant   = 1
	millionTenant = 2
	oneTenant     = 3 // as many keys as the many tenants have in all
	firstOfMany   = 1000
)

const (
	smallKeys  = 10_000
	million    = 1_000_000
	manyKeys   = 10 // each
	valueSize  = 128
	batchedOps = 8
)

// many is the number of tenants that take turns.
func (l *lab) many() int { return 10_000 }

func (l *lab) kvTenants() []map[string]any {
	tenants := []map[string]any{
		peer.Tenant("small", smallTenant, "64MiB"),
		peer.Tenant("million", millionTenant, "1GiB"),
		peer.Tenant("one", oneTenant, "256MiB"),
	}
	for i := range l.many() {
		tenants = append(tenants, peer.Tenant(fmt.Sprintf("t%05d", i), firstOfMany+uint32(i), "1MiB"))
	}
	return tenants
}

// kvWorkloads are the requests that are also thrown at testpmd.
func kvWorkloads() []workload {
	get := []load.Share{{Kind: load.Get, Weight: 1}}
	set := []load.Share{{Kind: load.Set, Weight: 1}}
	return []workload{
		{"ping", load.Config{Mix: []load.Share{{Kind: load.Ping, Weight: 1}}, Tenant: smallTenant, ValueSize: 8}},
		{"get", load.Config{Mix: get, Tenant: smallTenant, Keys: smallKeys, ValueSize: valueSize}},
		{"get-1m", load.Config{Mix: get, Tenant: millionTenant, Keys: million, ValueSize: valueSize}},
		{"set", load.Config{Mix: set, Tenant: smallTenant, Keys: smallKeys, ValueSize: valueSize}},
		{"mixed-zipf", load.Config{Mix: append(get, set...), Tenant: millionTenant, Keys: million, ValueSize: valueSize, Zipf: true}},
	}
}

// bench is a running pair of servers on one kind of link.
type bench struct {
	ours         *peer.Shredder
	theirs       *peer.Testpmd
	ourQueue     nic.Queue
	theirQueue   nic.Queue
	ourEnd       load.Endpoint
	where        string
	preloadedFor map[uint32]bool
}

// kv is the suite of issue "the store on the wire", in three parts.
func (l *lab) kv() error {
	return l.parts([]part{{"memif", l.overMemif}, {"kernel", l.overKernel}, {"virtio", l.virtio}})
}

// overMemif compares with testpmd, and our server with itself, over memif.
func (l *lab) overMemif() error {
	b, err := l.benchOn(l.memifLink("shredder"), l.memifLink("testpmd"), l.kvTenants())
	if err != nil {
		return err
	}
	for _, w := range kvWorkloads() {
		l.Log("%s", w.name)
		if err := l.againstTestpmd(b, w); err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	for _, measure := range []func(*bench) error{l.batched, l.roundTrips, l.manyTenants} {
		if err := measure(b); err != nil {
			return err
		}
	}
	return nil
}

// ours starts our server alone, connects to it and pauses it.
func (l *lab) ours(k link, tenants []map[string]any, extra peer.Settings) (*bench, error) {
	b := &bench{where: k.name, preloadedFor: map[uint32]bool{}}
	var err error
	if b.ours, err = l.shredder(k, tenants, extra); err != nil {
		return nil, err
	}
	if b.ourQueue, err = l.dial(k, b.ours.Process); err != nil {
		return nil, err
	}
	if b.ourEnd, err = remote(b.ourQueue); err != nil {
		return nil, err
	}
	return b, b.ours.Pause()
}

// benchOn starts both servers, connects to them and pauses them.
func (l *lab) benchOn(ours, theirs link, tenants []map[string]any) (*bench, error) {
	b, err := l.ours(ours, tenants, nil)
	if err != nil {
		return nil, err
	}
	if b.theirs, err = l.testpmd(theirs); err != nil {
		return nil, err
	}
	if b.theirQueue, err = l.dial(theirs, b.theirs.Process); err != nil {
		return nil, err
	}
	return b, b.theirs.Pause()
}

// ourGenerator is a generator for our server, whose keys it sets first.
func (b *bench) ourGenerator(cfg load.Config) (*load.Generator, error) {
	cfg.Local, cfg.Remote = clientEnd, b.ourEnd
	g, err := load.New(b.ourQueue, cfg)
	if err != nil || cfg.Keys <= 1 || b.preloadedFor[cfg.Tenant] {
		return g, err
	}
	b.preloadedFor[cfg.Tenant] = true
	s := side{name: "preload", process: b.ours.Process}
	return g, s.with(g.Preload)
}

// againstTestpmd throws the same frames at both servers.
func (l *lab) againstTestpmd(b *bench, w workload) error {
	ours, err := b.ourGenerator(w.cfg)
	if err != nil {
		return err
	}
	echo := w.cfg
	echo.Echo, echo.Local, echo.Remote = true, clientEnd, serverEnd
	theirs, err := load.New(b.theirQueue, echo)
	if err != nil {
		return err
	}
	c, err := l.compare(
		side{"shredder", b.ours.Process, flood(ours, 1, shredderBusy(b.ours), false)},
		side{"testpmd", b.theirs.Process, flood(theirs, 1, testpmdBusy(b.theirs), true)}, flooded)
	if err != nil {
		return err
	}
	l.add(c.row(w.name, "ops/s", b.where, rate))
	return nil
}

// batched compares eight GETs in a datagram with one.
func (l *lab) batched(b *bench) error {
	one := load.Config{Mix: []load.Share{{Kind: load.Get, Weight: 1}}, Tenant: smallTenant, Keys: smallKeys, ValueSize: valueSize}
	eight := one
	eight.OpsPerDatagram = batchedOps
	g1, err := b.ourGenerator(one)
	if err != nil {
		return err
	}
	g8, err := b.ourGenerator(eight)
	if err != nil {
		return err
	}
	busy := shredderBusy(b.ours)
	c, err := l.compare(
		side{"8 per datagram", b.ours.Process, flood(g8, batchedOps, busy, false)},
		side{"1 per datagram", b.ours.Process, flood(g1, 1, busy, false)}, floodedOwn)
	if err != nil {
		return err
	}
	l.add(c.row("get-8", "ops/s", b.where, rate))
	return nil
}

// roundTrips compares the latency of a PING with that of a swapped frame, one
// in flight.
func (l *lab) roundTrips(b *bench) error {
	cfg := kvWorkloads()[0].cfg
	ours, err := b.ourGenerator(cfg)
	if err != nil {
		return err
	}
	cfg.Echo, cfg.Local, cfg.Remote = true, clientEnd, serverEnd
	theirs, err := load.New(b.theirQueue, cfg)
	if err != nil {
		return err
	}
	c, err := l.compare(
		side{"shredder", b.ours.Process, closed(ours, 1, 1, shredderBusy(b.ours))},
		side{"testpmd", b.theirs.Process, closed(theirs, 1, 1, testpmdBusy(b.theirs))}, closedLoop)
	if err != nil {
		return err
	}
	rows := []report.Row{c.row("rtt-p50", "ns", b.where, p50), c.row("rtt-p99", "ns", b.where, p99)}
	for i := range rows {
		rows[i].Depth = 1
		rows[i].Note = "lower is better"
	}
	l.add(rows...)
	return nil
}

// manyTenants compares tenants in turn with one that has all the keys.
func (l *lab) manyTenants(b *bench) error {
	for _, kind := range []load.Kind{load.Get, load.Set} {
		mix := []load.Share{{Kind: kind, Weight: 1}}
		each, err := b.ourGenerator(load.Config{Mix: mix, Tenant: firstOfMany, Tenants: l.many(), Keys: manyKeys, ValueSize: valueSize})
		if err != nil {
			return err
		}
		all, err := b.ourGenerator(load.Config{Mix: mix, Tenant: oneTenant, Keys: manyKeys * l.many(), ValueSize: valueSize})
		if err != nil {
			return err
		}
		busy := shredderBusy(b.ours)
		c, err := l.compare(
			side{"10,000 tenants", b.ours.Process, flood(each, 1, busy, false)},
			side{"one tenant", b.ours.Process, flood(all, 1, busy, false)}, flooded)
		if err != nil {
			return err
		}
		row := c.row("tenants-10000", "ops/s", b.where, rate)
		row.Note = kind.String()
		l.add(row)
	}
	return nil
}

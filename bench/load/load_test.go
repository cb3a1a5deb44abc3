package load

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"net/netip"
	"testing"
	"time"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
)

// echo is a device whose other end answers every request with OK, on the
// virtual clock of a test.
type echo struct {
	t       *testing.T
	clock   int64 // advances by tick at every reading
	tick    int64
	stall   [2]int64 // no reply comes in this time
	lose    int      // every lose-th request vanishes (0: none)
	double  int      // every double-th reply comes twice
	refuse  bool     // operations are answered NOT_FOUND
	room    int      // frames accepted between two polls (0: any number)
	taken   int
	seen    int
	keys    map[uint64]int
	tenants map[uint32]int
	waiting [][]byte
}

func (e *echo) now() int64 { e.clock += e.tick; return e.clock }

func (e *echo) Alloc() (nic.Frame, bool) {
	if e.room > 0 && e.taken == e.room {
		return nic.Frame{}, false
	}
	e.taken++
	return nic.Frame{Data: make([]byte, 2048)}, true
}

func (e *echo) Send(f nic.Frame) {
	e.seen++
	frame := f.Data[:f.Len]
	head := etherSize + ipv4Size
	if f.Data[12] == etherIPv6>>8 {
		head = etherSize + ipv6Size
		udp := frame[head:]
		if check := fold(sum(sum(uint64(len(udp))+protoUDP, frame[etherSize+8:head]), udp)); check != 0xffff {
			e.t.Errorf("UDP checksum over IPv6 is wrong: %#x", check)
		}
	} else if fold(sum(0, frame[etherSize:head])) != 0xffff {
		e.t.Error("IPv4 header checksum is wrong")
	}
	h, ops, status := wire.Parse(frame[head+udpSize:])
	if status != wire.StatusOK {
		e.t.Fatalf("request does not parse: %v", status)
	}
	e.tenants[h.Session()]++
	w := wire.NewWriter(make([]byte, wire.MaxDatagram))
	for op, rest, ok := wire.FirstOp(ops); ok; op, rest, ok = wire.FirstOp(rest) {
		if status := wire.CheckOp(op); status != wire.StatusOK {
			e.t.Fatalf("operation is refused: %v", status)
		}
		if key, ok := op.IntKey(); ok {
			e.keys[key]++
		}
		status := wire.StatusOK
		if e.refuse {
			status = wire.StatusNotFound
		}
		w.Begin(op.Code(), 0, status)
		w.End()
	}
	if e.lose > 0 && e.seen%e.lose == 0 {
		return
	}
	reply := append([]byte(nil), frame[:head+udpSize]...)
	copy(reply[head:], frame[head+2:head+4])
	copy(reply[head+2:], frame[head:head+2])
	reply = append(reply, w.Finish(wire.HeaderFields{Flags: wire.FlagReply, Seq: h.Seq()})...)
	e.waiting = append(e.waiting, reply)
	if e.double > 0 && e.seen%e.double == 0 {
		e.waiting = append(e.waiting, reply)
	}
}

func (e *echo) RxBurst(b *nic.Burst) int {
	b.N, e.taken = 0, 0
	if e.clock >= e.stall[0] && e.clock < e.stall[1] {
		return 0
	}
	for b.N < nic.BurstSize && len(e.waiting) > 0 {
		b.Frames[b.N] = nic.Frame{Data: e.waiting[0], Len: len(e.waiting[0])}
		e.waiting = e.waiting[1:]
		b.N++
	}
	return b.N
}

func (e *echo) TxBurst(b *nic.Burst)           { b.N = 0 }
func (e *echo) Free(nic.Frame)                 {}
func (e *echo) Flush()                         {}
func (e *echo) Wait(int64)                     {}
func (e *echo) Capabilities() nic.Capabilities { return nic.Capabilities{MTU: 1500} }
func (e *echo) Stats() nic.Stats               { return nic.Stats{} }
func (e *echo) Close() error                   { return nil }

func newEcho(t *testing.T) *echo {
	return &echo{t: t, tick: 1000, keys: map[uint64]int{}, tenants: map[uint32]int{}}
}

func endpoints(local, remote string) (Endpoint, Endpoint) {
	return Endpoint{MAC: [6]byte{2, 0, 0, 0, 0, 2}, IP: netip.MustParseAddr(local), Port: 40000},
		Endpoint{MAC: [6]byte{2, 0, 0, 0, 0, 1}, IP: netip.MustParseAddr(remote), Port: 9000}
}

func generator(t *testing.T, e *echo, cfg Config) *Generator {
	t.Helper()
	if !cfg.Local.IP.IsValid() {
		cfg.Local, cfg.Remote = endpoints("10.9.0.2", "10.9.0.1")
	}
	g, err := New(e, cfg)
	if err != nil {
		t.Fatal(err)
	}
	g.nanos = e.now
	return g
}

func TestClosedLoopCountsLossAndDuplicates(t *testing.T) {
	e := newEcho(t)
	e.lose, e.double = 100, 50
	g := generator(t, e, Config{Mix: []Share{{Get, 50}, {Set, 50}}, Keys: 1000, ValueSize: 128, Seed: 1})
	r, err := g.Closed(16, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if r.Lost != r.Sent/100 {
		t.Errorf("lost %d of %d, want one in a hundred", r.Lost, r.Sent)
	}
	if want := r.Sent/50 - r.Lost; r.Duplicates != want { // a lost request has no second reply
		t.Errorf("%d duplicates, want %d", r.Duplicates, want)
	}
	if answered := r.Received - r.Duplicates; answered+r.Lost != r.Sent || r.Statuses["OK"] != answered || uint64(r.Latency.Count) != answered {
		t.Errorf("the books do not balance: %+v", r)
	}
}

func TestSessionsKeepToTheirWindows(t *testing.T) {
	e := newEcho(t)
	e.lose = 7
	g := generator(t, e, Config{Mix: []Share{{Get, 1}}, Keys: 10, Sessions: []Session{{ID: 5, Secret: 1}, {ID: 6, Secret: 2}}})
	if _, err := g.Closed(129, time.Second); err == nil {
		t.Error("a depth above two windows was accepted")
	}
	r, err := g.Closed(100, 2*time.Second)
	if err != nil || r.Sent == 0 {
		t.Fatalf("sent %d: %v", r.Sent, err)
	}
	if e.tenants[5] == 0 || e.tenants[6] == 0 || len(e.tenants) != 2 {
		t.Errorf("sessions seen: %v", e.tenants)
	}
}

// TestOpenLoopCorrectsOmission: in a stall of half a second at 10,000 a second
// 5,000 requests are due, and all of them must show their wait.
func TestOpenLoopCorrectsOmission(t *testing.T) {
	e := newEcho(t)
	e.stall = [2]int64{200_000_000, 400_000_000}
	g := generator(t, e, Config{Mix: []Share{{Ping, 1}}})
	r, err := g.Open(10_000, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if r.Sent != 10_000 || r.Offered != 10_000 || r.Lost != 0 {
		t.Fatalf("sent %d, offered %d, lost %d, want 10,000 and no loss", r.Sent, r.Offered, r.Lost)
	}
	if r.Latency.Max < 190_000_000 || r.Latency.P90 < 90_000_000 || r.Latency.P90 > 110_000_000 {
		t.Errorf("a stall of 200 ms in one second gives p90 %d ns and max %d ns", r.Latency.P90, r.Latency.Max)
	}
	if r.Latency.P50 > 100_000 {
		t.Errorf("p50 %d ns outside the stall", r.Latency.P50)
	}
}

func TestFloodOffersWhatTheDeviceDrops(t *testing.T) {
	e := newEcho(t)
	e.room = 4
	g := generator(t, e, Config{Mix: []Share{{Ping, 1}}})
	r, err := g.Flood(10e6, 100*time.Millisecond) // a turn of 1 µs: ten due, four taken
	if err != nil {
		t.Fatal(err)
	}
	if r.OfferedRate() < 9e6 || r.OfferedRate() > 10.1e6 {
		t.Errorf("offered %.0f a second, want 10 million", r.OfferedRate())
	}
	if float64(r.Sent) < 0.35*float64(r.Offered) || float64(r.Sent) > 0.45*float64(r.Offered) {
		t.Errorf("sent %d of %d", r.Sent, r.Offered)
	}
	if sampled := r.Statuses["OK"]; r.Received != r.Sent || sampled < r.Received/floodSample-1 || sampled > r.Received/floodSample+1 {
		t.Errorf("sent %d, received %d, sampled %d", r.Sent, r.Received, sampled)
	}
	r, err = g.Flood(100e6, 100*time.Millisecond)
	if err != nil || r.OfferedRate() > 40e6 {
		t.Errorf("a loop of 1 µs a turn claims to offer %.0f a second (%v)", r.OfferedRate(), err)
	}
}

func TestPreloadSetsEveryKeyOfEveryTenant(t *testing.T) {
	e := newEcho(t)
	e.lose = 5
	g := generator(t, e, Config{Mix: []Share{{Get, 1}}, Keys: 1003, ValueSize: 128, Tenant: 7, Tenants: 3})
	if err := g.Preload(); err != nil {
		t.Fatal(err)
	}
	if len(e.keys) != 1003 || len(e.tenants) != 3 || e.tenants[7] == 0 || e.tenants[9] == 0 {
		t.Errorf("%d keys of tenants %v", len(e.keys), e.tenants)
	}
	e.refuse = true
	if err := g.Preload(); err == nil {
		t.Error("a refused SET was taken for success")
	}
}

func TestIPv6AndByteKeys(t *testing.T) {
	e := newEcho(t)
	cfg := Config{Mix: []Share{{Set, 1}}, Keys: 100, KeySize: 20, ValueSize: 33, OpsPerDatagram: 8}
	cfg.Local, cfg.Remote = endpoints("fd00::2", "fd00::1")
	r, err := generator(t, e, cfg).Closed(4, 10*time.Millisecond)
	if err != nil || r.Received == 0 || r.Failed() != 0 || r.Statuses["OK"] != 8*r.Received {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestZipfMatchesItsLaw(t *testing.T) {
	const n, draws = 1000, 1 << drawsLog2
	z := newZipf(n, 0.99)
	counts := make([]float64, n)
	for i := range draws {
		counts[z.rank((float64(i)+0.5)/draws)]++
	}
	for _, rank := range []int{0, 1, 9, 99, 500} {
		want := draws / math.Pow(float64(rank+1), 0.99) / z.zeta
		// Gray's method is exact for the first two ranks and close for the others.
		if got := counts[rank]; math.Abs(got-want) > 0.25*want {
			t.Errorf("rank %d drawn %.0f times, the law says %.0f", rank, got, want)
		}
	}
	for i, key := range drawKeys(1000, true, 0.99, 3) {
		if key >= 1000 {
			t.Fatalf("draw %d is key %d of 1000", i, key)
		}
	}
}

func TestUniformDrawsAndMixes(t *testing.T) {
	counts := make([]int, 16)
	for _, key := range drawKeys(16, false, 0, 1) {
		counts[key]++
	}
	for key, got := range counts {
		if want := 1 << drawsLog2 / 16; math.Abs(float64(got-want)) > 0.02*float64(want) {
			t.Errorf("key %d drawn %d times, want about %d", key, got, want)
		}
	}
	kinds := [3]int{}
	for _, k := range drawKinds([]Share{{Get, 50}, {Set, 25}, {Ping, 25}}, 1) {
		kinds[k]++
	}
	if kinds != [3]int{2048, 1024, 1024} {
		t.Errorf("a mix of 50, 25, 25 came as %v", kinds)
	}
}

func TestNeighboursFindEachOther(t *testing.T) {
	for _, family := range [][2]string{{"10.9.0.2", "10.9.0.1"}, {"fd00::2", "fd00::1"}} {
		client, server := endpoints(family[0], family[1])
		asking, answering := newNeighbour(client), newNeighbour(server)
		f := nic.Frame{Data: make([]byte, 128)}
		f.Len = asking.ask(f.Data, server.IP)
		if !answering.answer(&f) || f.Verdict != nic.Reply {
			t.Fatalf("%v: the request was not answered", server.IP)
		}
		mac, ok := asking.learned(f.Data[:f.Len], server.IP)
		if !ok || mac != server.MAC || [6]byte(f.Data[:6]) != client.MAC {
			t.Errorf("%v: learned %v, %v", server.IP, mac, ok)
		}
	}
}

func TestResultJSON(t *testing.T) {
	b, err := json.Marshal(Result{Mode: "open", Statuses: map[string]uint64{"OK": 2}, Latency: &Latency{P50: 7}})
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(b, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mode", "seconds", "offered", "sent", "received", "lost", "duplicates", "statuses", "latency"} {
		if _, ok := fields[name]; !ok {
			t.Errorf("no field %q in %s", name, b)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	local, remote := endpoints("10.9.0.2", "10.9.0.1")
	for name, cfg := range map[string]Config{
		"empty mix":      {Local: local, Remote: remote},
		"families":       {Local: local, Remote: Endpoint{IP: netip.IPv6Loopback()}, Mix: []Share{{Get, 1}}},
		"too many ops":   {Local: local, Remote: remote, Mix: []Share{{Get, 1}}, OpsPerDatagram: 65},
		"too large":      {Local: local, Remote: remote, Mix: []Share{{Set, 1}}, OpsPerDatagram: 12, ValueSize: 128},
		"key too narrow": {Local: local, Remote: remote, Mix: []Share{{Set, 1}}, KeySize: 2, Keys: 17},
		"theta":          {Local: local, Remote: remote, Mix: []Share{{Get, 1}}, Zipf: true, Theta: 1},
	} {
		if _, err := New(newEcho(t), cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestSendPathAllocatesNothing: garbage in the generator would show as latency.
func TestSendPathAllocatesNothing(t *testing.T) {
	local, remote := endpoints("10.9.0.2", "10.9.0.1")
	cfg := Config{Local: local, Remote: remote, Mix: []Share{{Get, 1}}, Keys: 1000, OpsPerDatagram: 8, Tenants: 1}
	tpl, err := newTemplate(&cfg, Get, 8)
	if err != nil {
		t.Fatal(err)
	}
	frame := append([]byte(nil), tpl.frame...)
	fl := flow{port: 1, session: 2}
	keys := stream{draws: drawKeys(1000, false, 0, 1), tenants: 1}
	if n := testing.AllocsPerRun(100, func() { tpl.patch(frame, &fl, 9, &keys) }); n != 0 {
		t.Errorf("patch allocates %v times", n)
	}
	h, _, status := wire.Parse(frame[tpl.datagram:])
	if status != wire.StatusOK || h.Seq() != 9 || h.Session() != 2 || binary.BigEndian.Uint16(frame[34:]) != 1 {
		t.Errorf("patched request: status %v, header % x", status, h)
	}
}

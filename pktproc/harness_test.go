package pktproc

import (
	"encoding/binary"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

const (
	testBasePort   = 9000
	testClientPort = 40000
)

var (
	serverMAC  = net.HardwareAddr{2, 0, 0, 0, 0, 1}
	clientMAC  = net.HardwareAddr{2, 0, 0, 0, 0, 9}
	server4    = netip.MustParseAddr("10.0.0.1")
	client4    = netip.MustParseAddr("10.0.0.9")
	server6    = netip.MustParseAddr("fd00::1")
	client6    = netip.MustParseAddr("fd00::9")
	dataToken  = []byte("data token")
	codeToken  = []byte("deploy token")
	testServer = [32]byte{1, 2, 3}
)

// fakeQueue lends frames and keeps what is sent.
type fakeQueue struct {
	sent  [][]byte
	lent  int
	empty bool
	caps  nic.Capabilities
}

func (q *fakeQueue) RxBurst(*nic.Burst) int { return 0 }
func (q *fakeQueue) TxBurst(*nic.Burst)     {}
func (q *fakeQueue) Alloc() (nic.Frame, bool) {
	if q.empty {
		return nic.Frame{}, false
	}
	q.lent++
	return nic.Frame{Data: make([]byte, 1600)}, true
}
func (q *fakeQueue) Send(f nic.Frame)               { q.lent--; q.sent = append(q.sent, f.Data[:f.Len]) }
func (q *fakeQueue) Free(nic.Frame)                 { q.lent-- }
func (q *fakeQueue) Flush()                         {}
func (q *fakeQueue) Wait(int64)                     {}
func (q *fakeQueue) Capabilities() nic.Capabilities { return q.caps }
func (q *fakeQueue) Stats() nic.Stats               { return nic.Stats{} }
func (q *fakeQueue) Close() error                   { return nil }

// rig is a Processor with a clock, a queue and tenants.
type rig struct {
	tb     testing.TB
	p      *Processor
	q      *fakeQueue
	now    Clock
	locals []*tenants.Local
	burst  nic.Burst
	jobs   []*tenants.Job
}

func (r *rig) Submit(j *tenants.Job) bool { r.jobs = append(r.jobs, j); return true }

// locked are the tests whose goroutine is locked to its thread, as an lcore's is:
// the invariants build tells a coroutine of the owner's by its thread. The thread
// ends with the test.
var locked sync.Map

// newRig makes a Processor at 10.0.0.1/24 and fd00::1/64 with tenants as given.
func newRig(tb testing.TB, change func(*Config), locals ...*tenants.Local) *rig {
	tb.Helper()
	if _, again := locked.LoadOrStore(tb, true); !again {
		runtime.LockOSThread()
	}
	r := &rig{tb: tb, q: &fakeQueue{caps: nic.Capabilities{MTU: 1500}}, now: Clock{UnixMillis: 1_800_000_000_000, MonoNanos: 5e9}, locals: locals}
	cfg := Config{
		Lcores: 1, BasePort: testBasePort, Queue: r.q, Registry: r, ServerKey: testServer,
		Addresses: Addresses{
			MAC:  [6]byte(serverMAC),
			IPv4: []netip.Prefix{netip.PrefixFrom(server4, 24)},
			IPv6: []netip.Prefix{netip.PrefixFrom(server6, 64)},
		},
		Limits: Limits{Sessions: 256},
	}
	if change != nil {
		change(&cfg)
	}
	p, err := New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	r.p = p
	p.now = r.now
	p.HandleEvent(tenants.Event{Kind: tenants.EventDirectory, Directory: testDirectory(locals...)})
	for _, l := range locals {
		if l.Home == cfg.Lcore {
			p.HandleEvent(tenants.Event{Kind: tenants.EventInstall, Local: l})
		}
	}
	return r
}

func (r *rig) advance(millis int64) {
	r.now.UnixMillis += millis
	r.now.MonoNanos += millis * 1e6
	r.p.now = r.now
}

// process runs one burst of frames and returns what was sent in their place,
// nil for those dropped.
func (r *rig) process(frames ...[]byte) [][]byte {
	out := make([][]byte, 0, len(frames))
	for len(frames) > 0 {
		n := min(len(frames), nic.BurstSize)
		r.burst.N = n
		for i := range n {
			data := make([]byte, 1600)
			copy(data, frames[i])
			r.burst.Frames[i] = nic.Frame{Data: data, Len: len(frames[i])}
		}
		r.p.Process(&r.burst, r.now)
		for i := range n {
			f := &r.burst.Frames[i]
			if f.Verdict == nic.Reply {
				out = append(out, f.Data[:f.Len])
			} else {
				out = append(out, nil)
			}
		}
		frames = frames[n:]
	}
	return out
}

// slices runs what is runnable until nothing is, at most max slices.
func (r *rig) slices(most int) int {
	n := 0
	for r.p.Runnable() && n < most {
		r.p.RunSlice(r.now)
		n++
	}
	return n
}

// takeSent returns and forgets what the queue has sent.
func (r *rig) takeSent() [][]byte {
	s := r.q.sent
	r.q.sent = nil
	return s
}

// path is how a client's frames look.
type path struct {
	v6      bool
	vlans   []uint16
	options []layers.IPv4Option
	noSum   bool
	srcPort uint16
	dstPort uint16
	src     netip.Addr
}

// frame makes an Ethernet frame around a UDP payload.
func (a path) frame(tb testing.TB, payload []byte) []byte {
	tb.Helper()
	eth := &layers.Ethernet{SrcMAC: clientMAC, DstMAC: serverMAC}
	stack := []gopacket.SerializableLayer{eth}
	ipType := layers.EthernetTypeIPv4
	if a.v6 {
		ipType = layers.EthernetTypeIPv6
	}
	eth.EthernetType = ipType
	for i, id := range a.vlans {
		tag := &layers.Dot1Q{VLANIdentifier: id, Type: ipType}
		if i+1 < len(a.vlans) {
			tag.Type = layers.EthernetTypeDot1Q
		}
		if i == 0 {
			eth.EthernetType = layers.EthernetTypeDot1Q
			if len(a.vlans) > 1 {
				eth.EthernetType = layers.EthernetTypeQinQ
			}
		}
		stack = append(stack, tag)
	}
	udp := &layers.UDP{SrcPort: testClientPort, DstPort: testBasePort}
	if a.srcPort != 0 {
		udp.SrcPort = layers.UDPPort(a.srcPort)
	}
	if a.dstPort != 0 {
		udp.DstPort = layers.UDPPort(a.dstPort)
	}
	var ip gopacket.SerializableLayer
	if a.v6 {
		src := client6
		if a.src.IsValid() {
			src = a.src
		}
		h := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolUDP, HopLimit: 7, SrcIP: src.AsSlice(), DstIP: server6.AsSlice()}
		_ = udp.SetNetworkLayerForChecksum(h)
		ip = h
	} else {
		src := client4
		if a.src.IsValid() {
			src = a.src
		}
		h := &layers.IPv4{Version: 4, TTL: 7, Protocol: layers.IPProtocolUDP, SrcIP: src.AsSlice(), DstIP: server4.AsSlice(), Options: a.options, Id: 77, TOS: 8}
		_ = udp.SetNetworkLayerForChecksum(h)
		ip = h
	}
	stack = append(stack, ip, udp, gopacket.Payload(payload))
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: !a.noSum}, stack...); err != nil {
		tb.Fatal(err)
	}
	b := buf.Bytes()
	if a.noSum && !a.v6 {
		fixIPv4(b, etherHeader+4*len(a.vlans))
	}
	return b
}

// fixIPv4 writes an IPv4 header's checksum.
func fixIPv4(b []byte, off int) {
	h := b[off : off+int(b[off]&15)*4]
	h[10], h[11] = 0, 0
	binary.BigEndian.PutUint16(h[10:], ^naiveSum(0, h))
}

// naiveSum is RFC 1071 as written, big-endian.
func naiveSum(sum uint32, b []byte) uint16 {
	for i := 0; i < len(b); i += 2 {
		sum += uint32(b[i]) << 8
		if i+1 < len(b) {
			sum += uint32(b[i+1])
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

// open checks a reply frame against the request's path, bit by bit, and
// returns its payload.
func (a path) open(tb testing.TB, b []byte) []byte {
	tb.Helper()
	if b == nil {
		tb.Fatal("no reply")
	}
	pkt := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.Default)
	if e := pkt.ErrorLayer(); e != nil {
		tb.Fatalf("reply does not parse: %v", e.Error())
	}
	eth := pkt.Layer(layers.LayerTypeEthernet).(*layers.Ethernet)
	if string(eth.DstMAC) != string(clientMAC) || string(eth.SrcMAC) != string(serverMAC) {
		tb.Fatalf("MACs of the reply: %v → %v", eth.SrcMAC, eth.DstMAC)
	}
	var tags []uint16
	for _, l := range pkt.Layers() {
		if tag, ok := l.(*layers.Dot1Q); ok {
			tags = append(tags, tag.VLANIdentifier)
		}
	}
	if len(tags) != len(a.vlans) {
		tb.Fatalf("VLAN tags %v, want %v", tags, a.vlans)
	}
	for i := range tags {
		if tags[i] != a.vlans[i] {
			tb.Fatalf("VLAN tags %v, want %v", tags, a.vlans)
		}
	}
	off := etherHeader + 4*len(a.vlans)
	udp, ok := pkt.Layer(layers.LayerTypeUDP).(*layers.UDP)
	if !ok {
		tb.Fatalf("no UDP in the reply: %v", pkt)
	}
	var pseudo uint32
	var l4 int
	if a.v6 {
		ip := pkt.Layer(layers.LayerTypeIPv6).(*layers.IPv6)
		if !ip.SrcIP.Equal(server6.AsSlice()) || ip.HopLimit != replyHops {
			tb.Fatalf("IPv6 header of the reply: %+v", ip)
		}
		l4 = off + 40
		pseudo = uint32(naiveSum(0, b[off+8:off+40]))
	} else {
		ip := pkt.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
		if !ip.SrcIP.Equal(server4.AsSlice()) || ip.TTL != replyHops {
			tb.Fatalf("IPv4 header of the reply: %+v", ip)
		}
		if naiveSum(0, b[off:off+int(ip.IHL)*4]) != 0xffff {
			tb.Fatal("IPv4 header checksum of the reply is wrong")
		}
		l4 = off + int(ip.IHL)*4
		pseudo = uint32(naiveSum(0, b[off+12:off+20]))
	}
	want := uint16(testClientPort)
	if a.srcPort != 0 {
		want = a.srcPort
	}
	if uint16(udp.DstPort) != want {
		tb.Fatalf("reply to port %d, want %d", udp.DstPort, want)
	}
	if a.noSum && !a.v6 {
		if udp.Checksum != 0 {
			tb.Fatal("a request without checksum was answered with one")
		}
	} else if udp.Checksum == 0 || naiveSum(pseudo+17+uint32(udp.Length), b[l4:l4+int(udp.Length)]) != 0xffff {
		tb.Fatal("UDP checksum of the reply is wrong")
	}
	return udp.Payload
}

// build makes a datagram by a writer.
func build(h wire.HeaderFields, ops func(w *wire.Writer)) []byte {
	w := wire.NewWriter(make([]byte, 0, wire.MaxDatagram))
	ops(&w)
	return append([]byte(nil), w.Finish(h)...)
}

// parseReply checks a reply's format.
func parseReply(tb testing.TB, b []byte) (wire.Header, []wire.Op) {
	tb.Helper()
	h, rest, st := wire.Parse(b)
	if st != wire.StatusOK {
		tb.Fatalf("the reply does not parse: %v", st)
	}
	if h.Flags()&wire.FlagReply == 0 || h.Secret() != 0 {
		tb.Fatalf("reply header: flags %x secret %x", h.Flags(), h.Secret())
	}
	var ops []wire.Op
	for op, next, ok := wire.FirstOp(rest); ok; op, next, ok = wire.FirstOp(next) {
		ops = append(ops, op)
	}
	return h, ops
}

// client is one session.
type client struct {
	r       *rig
	path    path
	id      uint32
	secret  uint64
	seq     uint32
	first   uint32
	flags   uint8
	trusted bool
}

// hello opens a session of a tenant.
func (r *rig) hello(a path, l *tenants.Local, role uint64, token []byte) *client {
	r.tb.Helper()
	c, st := r.tryHello(a, l.Name, role, token)
	if c == nil {
		r.tb.Fatalf("HELLO2: %v", st)
	}
	return c
}

func hello1() []byte {
	return build(wire.HeaderFields{Seq: 1}, func(w *wire.Writer) {
		w.Begin(wire.OpHello, 0, 0)
		w.Word(1)
		w.Value(make([]byte, wire.MinHello1-wire.HeaderSize-16))
	})
}

func hello2(cookie []byte, nonce [2]uint64, role uint64, name string, token []byte) []byte {
	proof := wire.MakeProof(token, cookie, nonce, role, []byte(name))
	return build(wire.HeaderFields{Seq: 2}, func(w *wire.Writer) {
		w.Begin(wire.OpHello, 0, 0)
		w.Word(2)
		w.Word(role)
		w.Word(nonce[0])
		w.Word(nonce[1])
		w.Key([]byte(name))
		w.Value(cookie)
		w.Value(proof[:])
	})
}

func (r *rig) tryHello(a path, name string, role uint64, token []byte) (*client, wire.Status) {
	r.tb.Helper()
	_, ops := parseReply(r.tb, a.open(r.tb, r.process(a.frame(r.tb, hello1()))[0]))
	cookie := append([]byte(nil), ops[0].Value()...)
	nonce := [2]uint64{3, 4}
	reply := r.process(a.frame(r.tb, hello2(cookie, nonce, role, name, token)))[0]
	if reply == nil {
		return nil, 0
	}
	h, ops := parseReply(r.tb, a.open(r.tb, reply))
	if h.Status() != wire.StatusOK {
		return nil, h.Status()
	}
	c := &client{r: r, path: a, id: uint32(ops[0].Word(1)), first: 1}
	secret, ok := wire.OpenSecret(ops[0].Value(), token, cookie, nonce, c.id, uint32(ops[0].Word(2)))
	if !ok {
		r.tb.Fatal("the secret does not open")
	}
	c.secret = secret
	return c, wire.StatusOK
}

// trusted is a client without a session.
func (r *rig) trusted(a path, tenant uint32) *client {
	return &client{r: r, path: a, id: tenant, flags: wire.FlagTrusted, first: 1}
}

func (c *client) datagram(seq uint32, flags uint8, ops func(w *wire.Writer)) []byte {
	return build(wire.HeaderFields{Flags: flags | c.flags, Session: c.id, Secret: c.secret, Seq: seq, First: c.first}, ops)
}

func (c *client) frame(flags uint8, ops func(w *wire.Writer)) []byte {
	c.seq++
	return c.path.frame(c.r.tb, c.datagram(c.seq, flags, ops))
}

// send sends one datagram and returns the reply of the same turn.
func (c *client) send(flags uint8, ops func(w *wire.Writer)) (wire.Header, []wire.Op) {
	c.r.tb.Helper()
	return c.reply(c.r.process(c.frame(flags, ops))[0])
}

func (c *client) reply(b []byte) (wire.Header, []wire.Op) {
	c.r.tb.Helper()
	return parseReply(c.r.tb, c.path.open(c.r.tb, b))
}

// one is send for a single operation.
func (c *client) one(ops func(w *wire.Writer)) wire.Op {
	c.r.tb.Helper()
	h, got := c.send(0, ops)
	if h.Status() != wire.StatusOK || len(got) != 1 {
		c.r.tb.Fatalf("status %v, %d operations", h.Status(), len(got))
	}
	return got[0]
}

// run is send and, if there is no reply at once, slices until there is.
func (c *client) run(flags uint8, ops func(w *wire.Writer)) (wire.Header, []wire.Op) {
	c.r.tb.Helper()
	if b := c.r.process(c.frame(flags, ops))[0]; b != nil {
		return c.reply(b)
	}
	for range 100000 {
		if sent := c.r.takeSent(); len(sent) > 0 {
			return c.reply(sent[0])
		}
		c.r.p.RunSlice(c.r.now)
	}
	c.r.tb.Fatal("no reply after 100,000 slices")
	return nil, nil
}

// Operations for the tests.
func opPing(v string) func(*wire.Writer) {
	return func(w *wire.Writer) { w.Begin(wire.OpPing, 0, 0); w.Value([]byte(v)) }
}
func opGet(k string) func(*wire.Writer) {
	return func(w *wire.Writer) { w.Begin(wire.OpGet, 0, 0); w.Key([]byte(k)) }
}
func opGetInt(n uint64) func(*wire.Writer) {
	return func(w *wire.Writer) { w.Begin(wire.OpGet, 0, 0); w.IntKey(n) }
}
func opSet(k, v string) func(*wire.Writer) {
	return func(w *wire.Writer) { w.Begin(wire.OpSet, 0, 0); w.Key([]byte(k)); w.Value([]byte(v)) }
}
func opIncr(k string, by int64) func(*wire.Writer) {
	return func(w *wire.Writer) { w.Begin(wire.OpIncr, 0, 0); w.Word(uint64(by)); w.Key([]byte(k)) }
}
func opDelete(k string) func(*wire.Writer) {
	return func(w *wire.Writer) { w.Begin(wire.OpDelete, 0, 0); w.Key([]byte(k)) }
}
func opCall(f string, args []byte) func(*wire.Writer) {
	return func(w *wire.Writer) { w.Begin(wire.OpCall, 0, 0); w.Key([]byte(f)); w.Value(args) }
}
func opKill(session uint32, seq uint32) func(*wire.Writer) {
	return func(w *wire.Writer) {
		w.Begin(wire.OpKill, 0, 0)
		w.Word(uint64(session))
		w.Word(uint64(seq))
	}
}
func all(ops ...func(*wire.Writer)) func(*wire.Writer) {
	return func(w *wire.Writer) {
		for _, op := range ops {
			op(w)
		}
	}
}

// must fails unless an operation has a status.
func must(tb testing.TB, op wire.Op, want wire.Status) wire.Op {
	tb.Helper()
	if op.Status() != want {
		tb.Fatalf("%v: %v (%q), want %v", op.Code(), op.Status(), op.Value(), want)
	}
	return op
}

// put and get reach into a tenant's shard.
func put(tb testing.TB, l *tenants.Local, key, value string) {
	tb.Helper()
	if _, res := l.Shard.Set(store.BytesKey([]byte(key)), []byte(value), store.SetOptions{}, 0); res != store.OK {
		tb.Fatalf("set %q: %v", key, res)
	}
}

func stored(l *tenants.Local, key string, now int64) string {
	e, res := l.Shard.Get(store.BytesKey([]byte(key)), now)
	if res != store.OK {
		return "<none>"
	}
	return string(e.Value)
}

package e2e

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"shredder/client"
	"shredder/pktproc/wire"
)

// datagrams is how many a fuzzer sends: 10⁵, or with SOAK=1 10⁷.
func datagrams() int {
	if os.Getenv("SOAK") != "" {
		return 10_000_000
	}
	return 100_000
}

// capture has a client do a bit of everything through a proxy, and returns the
// requests that it sent.
func capture(t *testing.T, s *site, p *proxy, c *client.Client) (requests [][]byte, peer *net.UDPConn) {
	t.Helper()
	ctx := t.Context()
	p.mu.Lock()
	p.tap = func(conn *net.UDPConn, b []byte) { requests, peer = append(requests, bytes.Clone(b)), conn }
	p.mu.Unlock()
	c.Set(ctx, client.Int(1), pattern(100, 1), client.TTL(time.Hour))
	c.Set(ctx, client.Key("key"), []byte("10"), client.IfAbsent())
	c.Set(ctx, client.Key("large"), pattern(5000, 2))
	c.Get(ctx, client.Key("large"))
	c.Incr(ctx, client.Key("key"), 1)
	c.CompareAndSwap(ctx, client.Key("key"), []byte("11"), []byte("12"))
	c.TTL(ctx, client.Int(1))
	c.Expire(ctx, client.Int(1), time.Hour)
	c.MultiGet(ctx, client.Int(1), client.Key("key"), client.Int(3))
	c.ScanPage(ctx, 0, 10)
	c.CallWith(ctx, client.CallOptions{Receipt: true}, "echo", 1, "two", []byte{3}, 4.5)
	c.Call(ctx, "large", 5000)
	c.Try(ctx, "bump", "key")
	c.Deploy(ctx, "lib", []byte(library), true)
	c.Versions(ctx)
	c.Rollback(ctx)
	c.LogPage(ctx, 0)
	c.Stats(ctx)
	c.Kill(ctx, 0, 0)
	c.Ping(ctx)
	for _, b := range []*client.Batch{client.NewBatch(), client.NewBatch().Atomic().Receipts()} {
		b.Set(client.Key("b"), []byte("1"))
		b.Incr(client.Key("b"), 1)
		b.Get(client.Key("b"))
		b.Call("bump", "b")
		b.Delete(client.Key("b"))
		c.Do(ctx, b)
	}
	p.mu.Lock()
	p.tap = nil
	p.mu.Unlock()
	if len(requests) < 25 || peer == nil {
		t.Fatalf("%d requests captured", len(requests))
	}
	return requests, peer
}

// mutate changes a request in one or a few places: bits, bytes, fields, ends.
func mutate(random *rand.Rand, request, other []byte) []byte {
	b := append([]byte{}, request...)
	for range 1 + random.IntN(4) {
		switch random.IntN(7) {
		case 0:
			b[random.IntN(len(b))] ^= 1 << random.IntN(8)
		case 1:
			b[random.IntN(len(b))] = byte(random.Uint32())
		case 2: // a length or a word of extreme size
			at := random.IntN(len(b)) &^ 7
			copy(b[at:], binary.LittleEndian.AppendUint64(nil, []uint64{0, 1, 1<<16 - 1, 1<<32 - 1, 1 << 53, 1<<64 - 1}[random.IntN(6)]))
		case 3:
			b = b[:1+random.IntN(len(b))]
		case 4:
			b = append(b, make([]byte, random.IntN(64))...)
		case 5: // the tail of another request
			at := random.IntN(len(b))
			b = append(b[:at], other[min(at, len(other)):]...)
		case 6: // a new sequence number, a length that is right
			if len(b) >= wire.HeaderSize {
				binary.LittleEndian.PutUint32(b[16:], random.Uint32N(1000))
				binary.LittleEndian.PutUint16(b[24:], uint16(len(b)-wire.HeaderSize))
			}
		}
	}
	return b[:min(len(b), 9000)]
}

// TestFuzz sends random and mutated datagrams, as a stranger and in a session's
// name. Afterwards everything answers and nothing is missing (startUDP looks).
func TestFuzz(t *testing.T) {
	seed := uint64(7)
	if os.Getenv("SOAK") != "" {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := startUDP(t, 2)
	p := startProxy(t, s, seed, faults{})
	spec := open("fuzzed")
	spec.Home, spec.Limits.DeadlineMillis, spec.Limits.Fuel = 1, 100, 1_000_000
	name := s.tenant(t, spec, library)
	fuzzed := dial(t, s.addr(p.host, 0), client.Options{Tenant: name, Role: client.Deploy})
	requests, peer := capture(t, s, p, fuzzed)
	bystander := dial(t, s.addr(s.hosts[len(s.hosts)-1], 0), client.Options{Tenant: s.tenant(t, open("bystander"), library)})
	stranger := newStranger(t, s)

	ctx := t.Context()
	must[uint64](t)(bystander.Set(ctx, client.Int(1), []byte("untouched")))
	for i := range datagrams() {
		request := requests[random.IntN(len(requests))]
		var b []byte
		if random.IntN(4) == 0 {
			b = make([]byte, random.IntN(2000))
			for at := range b {
				b[at] = byte(random.Uint32())
			}
			if len(b) > 3 && random.IntN(2) == 0 {
				b[0], b[1], b[2] = wire.Version, byte(random.IntN(16))&^wire.FlagReply, 1
			}
		} else {
			b = mutate(random, request, requests[random.IntN(len(requests))])
		}
		if random.IntN(2) == 0 {
			stranger.send(b, p.server[random.IntN(2)])
		} else if len(b) > 0 {
			peer.WriteToUDPAddrPort(b, p.server[random.IntN(2)])
		}
		if i%200 == 0 { // as fast as the server, so that few datagrams are lost in a socket's buffer
			must[client.Entry](t)(bystander.Get(ctx, client.Int(1)))
		}
	}
	stranger.judge()

	if e := must[client.Entry](t)(bystander.Get(ctx, client.Int(1))); string(e.Value) != "untouched" {
		t.Errorf("a bystander's entry is %q", e.Value)
	}
	must[client.Value](t)(bystander.Call(ctx, "echo", 1))
	// The fuzzed tenant may be busy, and lack its library, but it answers, to a new session.
	again := dial(t, s.addr("127.0.0.1", 0), client.Options{Tenant: name, Role: client.Deploy})
	must[time.Duration](t)(again.Ping(ctx))
	eventually(t, "what the fuzzer called has ended", func() bool {
		return s.plane.Processor(0).Counters().Tasks == 0 && s.plane.Processor(1).Counters().Tasks == 0
	})
	must[uint64](t)(again.Set(ctx, client.Int(1), pattern(100, 1)))
	for i, q := range s.sockets {
		eventually(t, "every frame is back", func() bool { return q.InUse() == s.idle[i] })
	}
}

// stranger sends from an address that never showed a cookie, and compares each
// reply with the request whose sequence number it bears.
type stranger struct {
	t    *testing.T
	conn *net.UDPConn
	wait sync.WaitGroup

	mu              sync.Mutex
	longest         map[uint32]int // by sequence number, of what was sent
	sent, received  atomic.Int64   // bytes
	replies, larger atomic.Int64
}

func newStranger(t *testing.T, s *site) *stranger {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 3)})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadBuffer(4 << 20)
	x := &stranger{t: t, conn: conn, longest: map[uint32]int{}}
	x.wait.Go(x.receive)
	t.Cleanup(func() { conn.Close(); x.wait.Wait() })
	return x
}

func (x *stranger) send(b []byte, to netip.AddrPort) {
	if len(b) >= wire.HeaderSize {
		seq := binary.LittleEndian.Uint32(b[16:])
		x.mu.Lock()
		x.longest[seq] = max(x.longest[seq], len(b))
		x.mu.Unlock()
	}
	if _, err := x.conn.WriteToUDPAddrPort(b, to); err == nil {
		x.sent.Add(int64(len(b)))
	}
}

func (x *stranger) receive() {
	buf := make([]byte, 64<<10)
	for {
		n, _, err := x.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		x.replies.Add(1)
		x.received.Add(int64(n))
		x.mu.Lock()
		if n < wire.HeaderSize || n > x.longest[binary.LittleEndian.Uint32(buf[16:])] {
			x.larger.Add(1)
		}
		x.mu.Unlock()
	}
}

// judge says what became of it all.
func (x *stranger) judge() {
	x.t.Logf("a stranger sent %d bytes and got %d in %d replies", x.sent.Load(), x.received.Load(), x.replies.Load())
	if x.larger.Load() != 0 || x.received.Load() > x.sent.Load() {
		x.t.Errorf("%d replies to an address without a cookie are longer than their requests", x.larger.Load())
	}
	if x.replies.Load() == 0 {
		x.t.Error("no reply at all: the fuzzer does not reach the server")
	}
}

// TestAmplification sends every kind of well-formed request from an unvalidated
// address, one at a time.
func TestAmplification(t *testing.T) {
	s := startUDP(t, 2)
	p := startProxy(t, s, 1, faults{})
	spec := open("amplified")
	spec.TrustedSources = loopback[1:] // not over IPv4
	c := dial(t, s.addr(p.host, 0), client.Options{Tenant: s.tenant(t, spec, library), Role: client.Deploy})
	requests, _ := capture(t, s, p, c)
	x := newStranger(t, s)
	for i, request := range requests {
		for _, flags := range []byte{0, wire.FlagTrusted, wire.FlagAtomic | wire.FlagReceipt} {
			b := append([]byte{}, request...)
			b[1] |= flags
			binary.LittleEndian.PutUint32(b[16:], uint32(i)<<8|uint32(flags))
			before := x.replies.Load()
			x.send(b, p.server[i%2])
			eventually(t, "a refusal", func() bool { return x.replies.Load() > before })
		}
	}
	x.judge()
}

package e2e

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// faults are what a proxy does to datagrams, each way, as probabilities.
type faults struct{ loss, duplicate, delay float64 }

// heldMost is how many datagrams a proxy holds back at once: a later one lets go of one of them.
const heldMost = 8

// proxy stands between clients and a site, on another loopback address with the
// same ports, so that clients may follow the port that replies name.
type proxy struct {
	t         testing.TB
	host      string
	listeners []*net.UDPConn
	server    []netip.AddrPort
	wait      sync.WaitGroup

	mu     sync.Mutex
	random *rand.Rand
	faults faults
	held   []func()
	peers  map[netip.AddrPort]*net.UDPConn // by client, towards the server
	closed bool
	tap    func(*net.UDPConn, []byte) // sees requests, under mu
}

const proxyHost = "127.0.0.2"

// startProxy starts a proxy for a site on kernel sockets.
func startProxy(t testing.TB, s *site, seed uint64, f faults) *proxy {
	t.Helper()
	t.Logf("proxy with seed %d: %+v", seed, f)
	p := &proxy{t: t, host: proxyHost, random: rand.New(rand.NewPCG(seed, 0)), faults: f, peers: map[netip.AddrPort]*net.UDPConn{}}
	t.Cleanup(p.close)
	for i := range s.lcores {
		conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(p.host), s.port+uint16(i))))
		if err != nil {
			t.Fatal(err)
		}
		conn.SetReadBuffer(1 << 20)
		p.listeners = append(p.listeners, conn)
		p.server = append(p.server, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.port+uint16(i)))
	}
	for i := range p.listeners {
		p.wait.Go(func() { p.requests(i) })
	}
	return p
}

// requests carries what clients send to one of the ports.
func (p *proxy) requests(i int) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := p.listeners[i].ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		b := append([]byte{}, buf[:n]...)
		p.mu.Lock()
		if conn := p.peer(from); conn != nil {
			if p.tap != nil {
				p.tap(conn, b)
			}
			p.pass(func() { conn.WriteToUDPAddrPort(b, p.server[i]) })
		}
		p.mu.Unlock()
	}
}

// peer is the socket that stands for a client; p.mu is held.
func (p *proxy) peer(from netip.AddrPort) *net.UDPConn {
	if conn := p.peers[from]; conn != nil || p.closed {
		return conn
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		p.t.Error(err)
		return nil
	}
	conn.SetReadBuffer(1 << 20)
	p.peers[from] = conn
	p.wait.Go(func() { p.replies(conn, from) })
	return conn
}

// replies carries what the server sends to one client, from the port that it came from.
func (p *proxy) replies(conn *net.UDPConn, to netip.AddrPort) {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		i := int(from.Port()) - int(p.server[0].Port())
		if i < 0 || i >= len(p.listeners) {
			continue
		}
		b := append([]byte{}, buf[:n]...)
		p.mu.Lock()
		p.pass(func() { p.listeners[i].WriteToUDPAddrPort(b, to) })
		p.mu.Unlock()
	}
}

// pass sends a datagram, or does what the dice say; p.mu is held.
func (p *proxy) pass(send func()) {
	copies := 1
	if p.random.Float64() < p.faults.duplicate {
		copies = 2
	}
	for range copies {
		switch x := p.random.Float64(); {
		case x < p.faults.loss:
		case x < p.faults.loss+p.faults.delay && len(p.held) < heldMost:
			p.held = append(p.held, send)
		default:
			send()
		}
	}
	if len(p.held) > 0 && p.random.IntN(3) == 0 {
		i := p.random.IntN(len(p.held))
		p.held[i]()
		p.held = append(p.held[:i], p.held[i+1:]...)
	}
}

// forget gives every client another port towards the server.
func (p *proxy) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for from, conn := range p.peers {
		conn.Close()
		delete(p.peers, from)
	}
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	for _, conn := range p.peers {
		conn.Close()
	}
	p.mu.Unlock()
	for _, conn := range p.listeners {
		conn.Close()
	}
	p.wait.Wait()
}

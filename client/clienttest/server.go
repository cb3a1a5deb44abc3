// Package clienttest is a small Shredder for the tests of package client and
// of the command line: the wire format over loopback sockets with a Go map
// behind it, and faults at will. It owns its sockets and goroutines until
// Close; its methods may be called from any goroutine.
package clienttest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"shredder/pktproc/wire"
)

// Faults are probabilities per datagram, both ways, drawn from Seed.
type Faults struct {
	Seed                       uint64
	Loss, Duplicate, Reordered float64
}

// Config describes a Server. The zero Config listens on 127.0.0.1, has the
// tenant "dev" without a token, and no faults.
type Config struct {
	Host   string // default "127.0.0.1"
	Tenant string // default "dev"
	Token  []byte
	Role   uint64 // the role that Token is for
	Faults Faults
	// Hook, if set, sees every datagram of a session before it is executed, and
	// may return the reply to give instead; its session and number are put right.
	Hook func(request []byte) (reply []byte)
}

// Server is the fake.
type Server struct {
	config  Config
	sockets [2]*net.UDPConn // the port to dial, and the home lcore's
	done    sync.WaitGroup

	mu       sync.Mutex
	rng      *rand.Rand
	closed   bool
	paused   bool
	key      [32]byte
	sessions map[uint32]*session
	nextID   uint32
	state    state
	held     []held // reordered: goes out behind the next datagram
	counts   map[wire.Opcode]int
	byPort   [2]int
	wake     chan struct{} // closed to end sleeping calls
}

type held struct {
	b  []byte
	to netip.AddrPort
}

// Start runs a server until Close.
func Start(config Config) (*Server, error) {
	if config.Host == "" {
		config.Host = "127.0.0.1"
	}
	if config.Tenant == "" {
		config.Tenant = "dev"
	}
	s := &Server{
		config: config, rng: rand.New(rand.NewPCG(config.Faults.Seed, 1)), sessions: map[uint32]*session{},
		nextID: 1, counts: map[wire.Opcode]int{}, wake: make(chan struct{}),
	}
	s.state.reset()
	s.key[0] = byte(config.Faults.Seed)
	for i := range s.sockets {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(config.Host)})
		if err != nil {
			_ = s.Close()
			return nil, err
		}
		s.sockets[i] = conn
	}
	for i := range s.sockets {
		s.done.Add(1)
		go s.serve(i)
	}
	return s, nil
}

// Addr is the address to dial.
func (s *Server) Addr() string { return s.sockets[0].LocalAddr().String() }

func (s *Server) homePort() uint16 {
	return s.sockets[1].LocalAddr().(*net.UDPAddr).AddrPort().Port()
}

// Close ends the server and its goroutines.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.wake)
	}
	s.mu.Unlock()
	var err error
	for _, conn := range s.sockets {
		if conn != nil {
			err = conn.Close()
		}
	}
	s.done.Wait()
	return err
}

// Restart forgets sessions, records and pushes, as a new process would; the
// entries stay, so that a test sees what was executed.
func (s *Server) Restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = map[uint32]*session{}
	s.nextID += 1000
	s.state.pushes = map[uint64]*push{}
}

// Pause makes the server deaf, or hear again.
func (s *Server) Pause(paused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = paused
}

// Executed is how many operations of a code were executed.
func (s *Server) Executed(code wire.Opcode) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[code]
}

// Arrived is how many datagrams came to the dialed port and to the home port.
func (s *Server) Arrived() (dialed, home int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byPort[0], s.byPort[1]
}

// Value is what the store holds under a key, spelled as text.
func (s *Server) Value(key string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.state.find(key)
	if !ok {
		return nil, false
	}
	return e.value, true
}

// Log appends a line to the tenant's log.
func (s *Server) Log(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.log(text)
}

func (s *Server) serve(socket int) {
	defer s.done.Done()
	buf := make([]byte, 4096)
	for {
		n, from, err := s.sockets[socket].ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.byPort[socket]++
		if !s.paused && !s.chance(s.config.Faults.Loss) {
			for copies := 1 + s.count(s.config.Faults.Duplicate); copies > 0; copies-- {
				s.handle(socket, buf[:n], from)
			}
		}
		s.mu.Unlock()
	}
}

// chance draws from the seed; s.mu is held, as below.
func (s *Server) chance(p float64) bool { return p > 0 && s.rng.Float64() < p }

func (s *Server) count(p float64) int {
	if s.chance(p) {
		return 1
	}
	return 0
}

// send puts a reply on the wire, with the faults asked for.
func (s *Server) send(socket int, b []byte, to netip.AddrPort) {
	faults := s.config.Faults
	if s.closed || s.chance(faults.Loss) {
		return
	}
	if s.chance(faults.Reordered) {
		s.held = append(s.held, held{append([]byte{}, b...), to})
		return
	}
	for copies := 1 + s.count(faults.Duplicate); copies > 0; copies-- {
		_, _ = s.sockets[socket].WriteToUDPAddrPort(b, to)
	}
	for _, h := range s.held {
		_, _ = s.sockets[socket].WriteToUDPAddrPort(h.b, h.to)
	}
	s.held = s.held[:0]
}

// handle answers one datagram.
func (s *Server) handle(socket int, b []byte, from netip.AddrPort) {
	h, ops, st := wire.Parse(b)
	if h == nil || h.Flags()&wire.FlagReply != 0 {
		return
	}
	fields := wire.HeaderFields{
		Flags: wire.FlagReply, Session: h.Session(), Seq: h.Seq(), First: h.First(),
		DeadlineMillis: h.DeadlineMillis(),
	}
	if st == wire.StatusOK {
		st = wire.CheckRequest(h)
	}
	if st != wire.StatusOK {
		s.refuse(socket, fields, st, from)
		return
	}
	if op, _, _ := wire.FirstOp(ops); op.Code() == wire.OpHello {
		s.hello(socket, fields, op, from)
		return
	}
	sess := s.sessions[h.Session()]
	if sess == nil || sess.secret != h.Secret() || sess.addr != from {
		s.refuse(socket, fields, wire.StatusNoSession, from)
		return
	}
	fields.Port = s.homePort()
	if s.config.Hook != nil {
		if reply := s.config.Hook(b); reply != nil {
			rh := wire.MakeHeader(reply)
			rh.SetSession(h.Session())
			rh.SetSeq(h.Seq())
			s.send(socket, reply, from)
			return
		}
	}
	if !recorded(ops) {
		s.answer(socket, sess, h, fields, ops, from)
		return
	}
	switch known, record := sess.look(h.Seq(), h.First()); known {
	case windowStale:
		s.refuse(socket, fields, wire.StatusStale, from)
	case windowKnown:
		if record.reply == nil {
			s.refuse(socket, fields, wire.StatusPending, from)
			return
		}
		s.send(socket, record.reply, from)
	case windowNew:
		if d := sleepTime(ops); d > 0 {
			s.sleep(socket, sess, append([]byte{}, b...), fields, from, d)
			return
		}
		s.answer(socket, sess, h, fields, ops, from)
	}
}

func (s *Server) refuse(socket int, fields wire.HeaderFields, st wire.Status, to netip.AddrPort) {
	fields.Status = st
	w := wire.NewWriter(make([]byte, wire.HeaderSize))
	s.send(socket, w.Finish(fields), to)
}

// answer executes a datagram, records its reply if that is due, and sends it.
func (s *Server) answer(socket int, sess *session, h wire.Header, fields wire.HeaderFields, ops []byte, to netip.AddrPort) {
	x := execution{server: s, session: sess, w: wire.NewWriter(make([]byte, wire.MaxDatagram)), flags: h.Flags()}
	x.run(ops)
	reply := x.w.Finish(fields)
	if recorded(ops) {
		sess.records[h.Seq()] = record{reply: reply, results: x.results}
	}
	s.send(socket, reply, to)
}

// sleep is a call that takes long: it is answered when it is done, and
// duplicates meanwhile are answered PENDING.
func (s *Server) sleep(socket int, sess *session, b []byte, fields wire.HeaderFields, to netip.AddrPort, d time.Duration) {
	h, ops, _ := wire.Parse(b)
	sess.records[h.Seq()] = record{}
	s.done.Add(1)
	go func() {
		defer s.done.Done()
		select {
		case <-time.After(d):
		case <-s.wake:
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answer(socket, sess, h, fields, ops, to)
	}()
}

func recorded(ops []byte) bool {
	for op, rest, ok := wire.FirstOp(ops); ok; op, rest, ok = wire.FirstOp(rest) {
		if op.Recorded() {
			return true
		}
	}
	return false
}

// sleepTime is how long the first operation, a call of "sleep", takes.
func sleepTime(ops []byte) time.Duration {
	op, _, _ := wire.FirstOp(ops)
	if op.Code() != wire.OpCall || string(op.Key()) != "sleep" {
		return 0
	}
	a, _, st := wire.FirstArg(op.Value())
	if st != wire.StatusOK || a.Tag() != wire.TagInt {
		return 0
	}
	return time.Duration(a.Int()) * time.Millisecond
}

// String names the server in a test's output.
func (s *Server) String() string { return fmt.Sprintf("fake server at %s", s.Addr()) }

// Package resp is the front door for Redis clients: RESP2 and RESP3 over TCP.
//
// A connection belongs to one goroutine, which reads, parses and answers. Commands
// that touch a tenant's data travel to its home lcore as a batch and are executed
// there (run.go says which code that is: whatever has a *pktproc.Exec). The goroutine
// waits for its batch, so what the batch borrows from the read buffer stays put,
// and a connection never has more than one batch or one unsent reply buffer.
package resp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"shredder/pktproc"
	"shredder/tenants"
)

// Plane takes batches to the lcores. *dataplane.Plane is one.
type Plane interface{ Submit(*pktproc.Batch) }

// Config is what a Server is made of. Zero limits take the default named.
type Config struct {
	// Address to listen on, host:port.
	Address  string
	Registry *tenants.Registry
	Plane    Plane
	// DefaultTenant is whom a connection serves that has not said AUTH. Empty: it
	// has to. The tenant must be one without a data token.
	DefaultTenant string
	// MaxClients is how many connections may be open (10,000).
	MaxClients int
	// IdleTimeout ends a quiet connection; 0: never.
	IdleTimeout time.Duration
	// LoginTimeout ends a connection that has not said who it is (10 s).
	LoginTimeout time.Duration
	// WriteTimeout ends a connection that does not take its replies (10 s).
	WriteTimeout time.Duration
	Logger       zerolog.Logger
}

// Server is the listener and its connections. Any thread may call its methods.
type Server struct {
	cfg      Config
	listener net.Listener
	returns  pktproc.Returns
	bell     *os.File // an eventfd that lcores write
	started  time.Time
	runID    string

	clock    atomic.Int64 // Unix ns, read by the janitor a few times a second
	accepted atomic.Uint64
	refused  atomic.Uint64
	commands atomic.Uint64

	mu     sync.Mutex
	conns  map[uint64]*conn
	spaces map[uint32]*space
	nextID uint64
	closed bool

	quit    chan struct{}
	serving sync.WaitGroup // connections and the listener's goroutine
	helping sync.WaitGroup // waker and janitor
}

// Start listens and serves.
func Start(cfg Config) (*Server, error) {
	if cfg.MaxClients == 0 {
		cfg.MaxClients = 10_000
	}
	if cfg.LoginTimeout == 0 {
		cfg.LoginTimeout = 10 * time.Second
	}
	if cfg.WriteTimeout == 0 {
		cfg.WriteTimeout = 10 * time.Second
	}
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("resp: eventfd: %w", err)
	}
	s := &Server{cfg: cfg, bell: os.NewFile(uintptr(fd), "eventfd"), conns: map[uint64]*conn{}, spaces: map[uint32]*space{},
		started: time.Now(), runID: newRunID(), quit: make(chan struct{})}
	if s.listener, err = net.Listen("tcp", cfg.Address); err != nil {
		s.bell.Close()
		return nil, fmt.Errorf("resp: %w", err)
	}
	s.clock.Store(s.started.UnixNano())
	one := [8]byte{1}
	s.returns.Ring = func() { unix.Write(fd, one[:]) }
	s.helping.Go(s.wake)
	s.helping.Go(s.sweep)
	s.serving.Go(s.accept)
	return s, nil
}

// Endpoint is the address listened on.
func (s *Server) Endpoint() string { return s.listener.Addr().String() }

// wake is the goroutine that wakes connections whose batches have come back while
// they slept.
func (s *Server) wake() {
	var count [8]byte
	for {
		for s.returns.Wake() {
		}
		if !s.returns.Doze() {
			continue
		}
		if _, err := s.bell.Read(count[:]); err != nil {
			return // closed
		}
	}
}

// accept takes connections until the listener is closed.
func (s *Server) accept() {
	pause := time.Duration(0)
	for {
		nc, err := s.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			pause = min(max(2*pause, 5*time.Millisecond), time.Second) // out of descriptors: some will be given back
			s.cfg.Logger.Warn().Err(err).Msg("resp: accept")
			select {
			case <-s.quit:
				return
			case <-time.After(pause):
			}
			continue
		}
		pause = 0
		s.admit(nc)
	}
}

// admit makes a connection of nc, or refuses it as Redis does.
func (s *Server) admit(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		nc.Close()
		return
	}
	if len(s.conns) >= s.cfg.MaxClients {
		s.refused.Add(1)
		nc.SetWriteDeadline(time.Now().Add(time.Millisecond)) // an empty socket takes it at once
		nc.Write([]byte("-ERR max number of clients reached\r\n"))
		nc.Close()
		return
	}
	s.accepted.Add(1)
	s.nextID++
	c := newConn(s, nc, s.nextID)
	s.conns[c.id] = c
	s.serving.Go(c.serve)
}

// leave forgets a connection.
func (s *Server) leave(c *conn) {
	s.mu.Lock()
	delete(s.conns, c.id)
	s.mu.Unlock()
}

// each calls visit for every connection; it must not block.
func (s *Server) each(visit func(*conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		visit(c)
	}
}

// sweepEvery is how exact timeouts are.
const sweepEvery = 250 * time.Millisecond

// sweep is the janitor: it keeps the coarse clock and cuts connections that are
// idle, that do not say who they are, or that do not take their replies. One
// timer for all of them costs less than a deadline on every read and write.
func (s *Server) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.quit:
			return
		case now := <-tick.C:
			s.clock.Store(now.UnixNano())
			s.each(func(c *conn) { c.expire(now.UnixNano()) })
			s.sweepSpaces()
		}
	}
}

// Close stops listening and lets every connection answer what it has received; those
// that are not done when ctx ends are cut.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	for _, c := range s.conns {
		c.drain()
	}
	s.mu.Unlock()
	close(s.quit)
	err := s.listener.Close()
	done := make(chan struct{})
	go func() { s.serving.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		s.each(func(c *conn) { c.nc.Close() })
		<-done // their batches come back: no command outlives its tenant's deadline
	}
	s.bell.Close()
	s.helping.Wait()
	return err
}

// Stats is what the front door has counted since it started.
type Stats struct {
	Open              int    // connections
	Accepted, Refused uint64 // connections
	Commands          uint64
}

// Stats returns the figures. Any thread may call it.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	open := len(s.conns)
	s.mu.Unlock()
	return Stats{Open: open, Accepted: s.accepted.Load(), Refused: s.refused.Load(), Commands: s.commands.Load()}
}

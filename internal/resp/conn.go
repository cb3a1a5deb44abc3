package resp

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"shredder/internal/resp/proto"
	"shredder/pktproc"
	"shredder/tenants"
)

// Sizes of a connection's buffers, in bytes.
const (
	readStart = 4 << 10  // of the read buffer at first
	readGrown = 64 << 10 // what it may grow to under a long pipeline, and keep
	outStart  = 4 << 10
	outKept   = 64 << 10
	outFull   = 64 << 10 // replies that are sent before more are made
	sendPiece = 256 << 10
)

// maxLogins is how many wrong tokens a connection may try.
const maxLogins = 8

// conn is one connection. Its goroutine owns all but what is said to be shared.
type conn struct {
	s    *Server
	nc   net.Conn
	id   uint64
	addr string

	in         []byte // in[start:end] is not parsed yet
	start, end int
	reader     proto.Reader
	out        []byte // what w appended to, kept for its room
	w          proto.Writer
	run        run
	version    int
	quitting   bool // after the replies so far

	space     *space // whom it serves; nil: nobody yet
	local     *tenants.Local
	mayDeploy bool
	logins    int
	counted   uint64 // commands not yet added to the server's
	multi     transaction
	running   pktproc.Running // as FUNCTION STATS found it

	// Shared with other connections and the janitor.
	seen     atomic.Int64                  // when the last bytes came, Unix ns
	stuck    atomic.Int64                  // since when a write has been under way, 0: none is
	of       atomic.Pointer[tenants.Local] // local, for others
	last     atomic.Pointer[command]
	draining atomic.Bool
	monitor  atomic.Pointer[monitor]
	writing  sync.Mutex // held by who writes to a connection that monitors
	info     clientInfo
}

func newConn(s *Server, nc net.Conn, id uint64) *conn {
	c := &conn{s: s, nc: nc, id: id, addr: nc.RemoteAddr().String(), version: 2}
	c.seen.Store(s.clock.Load())
	c.info.since = s.clock.Load()
	c.run.init(c)
	return c
}

// serve is the connection's goroutine.
func (c *conn) serve() {
	defer c.close()
	c.in = make([]byte, readStart)
	c.bindDefault()
	for !c.quitting && c.fill() {
		c.consume()
		if !c.flush() {
			return
		}
	}
}

func (c *conn) close() {
	c.stopMonitor()
	c.nc.Close()
	c.s.leave(c)
	c.bind(nil)
}

// fill reads more. What is left unparsed moves to the front of the buffer, which
// grows when it is full.
func (c *conn) fill() bool {
	if c.draining.Load() {
		return false
	}
	if c.start > 0 {
		c.end = copy(c.in, c.in[c.start:c.end])
		c.start = 0
	}
	switch {
	case c.end == len(c.in):
		size := 2 * len(c.in) // not what a length announces: only bytes that came make room
		if want := c.reader.Want(); want > len(c.in) {
			size = min(size, want+readStart)
		}
		c.in = append(make([]byte, 0, size), c.in...)[:size]
	case c.end == 0 && len(c.in) > readGrown:
		c.in = make([]byte, readStart)
	}
	n, err := c.nc.Read(c.in[c.end:])
	if n <= 0 || err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.end += n
	c.seen.Store(c.s.clock.Load())
	return true
}

// consume executes every whole command in the buffer.
func (c *conn) consume() {
	c.w.Reset(c.out[:0], c.version)
	for !c.quitting {
		inline := c.start < c.end && c.in[c.start] != '*'
		args, n, err := c.reader.Next(c.in[c.start:c.end])
		c.start += n
		if err != nil {
			c.run.flush()
			c.w.Error(err.Error())
			c.quitting = true
			return
		}
		if args == nil {
			break
		}
		if len(args) > 0 {
			c.dispatch(args)
		}
		if inline { // its arguments may be the reader's own
			c.run.flush()
		}
	}
	c.run.flush()
	c.s.commands.Add(c.counted)
	c.counted = 0
}

// flush sends the replies.
func (c *conn) flush() bool {
	b := c.w.Bytes()
	ok := c.send(b)
	if cap(b) <= outKept {
		c.out = b[:0]
	} else {
		c.out = nil
	}
	c.w.Reset(c.out, c.version)
	return ok
}

// send writes to the socket. The janitor ends it when it takes too long.
func (c *conn) send(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if c.monitor.Load() != nil {
		c.writing.Lock()
		defer c.writing.Unlock()
	}
	for len(b) > 0 { // in pieces: a client that takes them slowly, but takes them, may have them all
		n := min(len(b), sendPiece)
		c.stuck.Store(c.s.clock.Load())
		if _, err := c.nc.Write(b[:n]); err != nil {
			return false
		}
		b = b[n:]
	}
	c.stuck.Store(0)
	return true
}

// expire is the janitor's look at the connection.
func (c *conn) expire(now int64) {
	cfg := &c.s.cfg
	quiet := now - c.seen.Load()
	stuck := c.stuck.Load()
	if stuck != 0 && now-stuck > int64(cfg.WriteTimeout) ||
		c.of.Load() == nil && now-c.info.since > int64(cfg.LoginTimeout) ||
		cfg.IdleTimeout > 0 && quiet > int64(cfg.IdleTimeout) && c.monitor.Load() == nil {
		c.nc.Close()
	}
}

// aLongTimeAgo is a deadline that has passed.
var aLongTimeAgo = time.Unix(1, 0)

// drain ends the connection when what it has received is answered.
func (c *conn) drain() {
	c.draining.Store(true)
	c.nc.SetReadDeadline(aLongTimeAgo)
}

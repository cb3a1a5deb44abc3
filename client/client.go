package client

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"shredder/pktproc/wire"
)

// Role is what a session may do.
type Role uint8

// The two roles, each with a token of its own.
const (
	Data   Role = wire.RoleData   // keys and calls
	Deploy Role = wire.RoleDeploy // also libraries
)

// DefaultTimeout is Options.Timeout if it is 0.
const DefaultTimeout = 5 * time.Second

// Options say who the client is.
type Options struct {
	Tenant  string        // default "dev"
	Token   []byte        // empty for a tenant without a token
	Role    Role          // default Data
	Timeout time.Duration // of a request whose context has no deadline; default 5 s
	// MinRetry is the least time before a second copy of a request is sent;
	// default 20 ms. See "Retries" in the package's description.
	MinRetry time.Duration
	// InFlight is how many requests that change nothing may be in flight, 1 to
	// 1024, default 64. Of those that change something the window of the
	// session allows 64.
	InFlight int
}

// Client is a session with one tenant. Dial makes it; it must be closed.
type Client struct {
	conn    *net.UDPConn
	server  netip.AddrPort // as dialed
	options Options
	start   time.Time

	home atomic.Uint32 // the home lcore's port, 0 until a reply named one
	rtt  roundTrip

	reads    chan struct{} // a token for each read in flight
	pushes   chan struct{} // a token for each push under way
	pool     sync.Pool     // of *request
	received sync.WaitGroup

	mu       sync.Mutex
	inFlight map[uint64]*request // by session and sequence number
	session  *session            // nil before the first HELLO
	renewing chan struct{}       // closed when the HELLO that is under way ends; nil: none is
	helloSeq uint32
	nextRead uint32
	closed   bool
}

// Dial opens a session with a tenant of the server at addr, "host:port" (for
// IPv6 "[::1]:9000"; of a name with both, the IPv4 address is taken). It
// returns when HELLO is done, or with ErrDenied (no such tenant, or not its
// token), ErrTimeout, ….
func Dial(ctx context.Context, addr string, options Options) (*Client, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	resolved, err := resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	network := "udp6"
	if resolved.Addr().Is4() {
		network = "udp4"
	}
	conn, err := net.ListenUDP(network, nil)
	if err != nil {
		return nil, err
	}
	// A window of full datagrams is 93 KB; the kernel counts more than twice that.
	_ = conn.SetReadBuffer(1 << 20)
	_ = conn.SetWriteBuffer(1 << 20)
	c := &Client{
		conn: conn, server: resolved, options: options, start: time.Now(),
		inFlight: make(map[uint64]*request), reads: make(chan struct{}, options.InFlight), pushes: make(chan struct{}, pushesAtOnce),
	}
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails (crypto/rand)
	c.helloSeq, c.nextRead = binary.LittleEndian.Uint32(seed[:]), binary.LittleEndian.Uint32(seed[4:])
	c.received.Add(1)
	go c.receive()
	if err := c.renew(ctx, nil); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("HELLO to %v as tenant %q: %w", resolved, options.Tenant, err)
	}
	return c, nil
}

func (o *Options) complete() error {
	if o.Tenant == "" {
		o.Tenant = "dev"
	}
	if len(o.Tenant) > wire.MaxNameLen {
		return fmt.Errorf("the tenant's name has %d bytes, more than %d", len(o.Tenant), wire.MaxNameLen)
	}
	if o.Role > Deploy {
		return fmt.Errorf("no such role: %d", o.Role)
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MinRetry <= 0 {
		o.MinRetry = minRetry
	}
	if o.InFlight == 0 {
		o.InFlight = wire.WindowSize
	}
	if o.InFlight < 1 || o.InFlight > 1024 {
		return fmt.Errorf("InFlight is %d, not 1 to 1024", o.InFlight)
	}
	return nil
}

func resolve(ctx context.Context, addr string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "udp", service)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if host == "" {
		host = "127.0.0.1"
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if len(ips) == 0 {
		return netip.AddrPort{}, errors.New("no address for " + host)
	}
	// A name with both kinds of address gives its IPv4 one: UDP cannot tell soon
	// that nobody listens, and servers of either kind answer IPv4.
	ip := ips[0]
	for _, other := range ips {
		if other = other.Unmap(); other.Is4() {
			ip = other
			break
		}
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port)), nil
}

// Close ends the client; requests in flight end with ErrClosed. The server
// forgets the session when it has been idle for long.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	c.mu.Unlock()
	err := c.conn.Close()
	c.received.Wait()
	return err
}

// LocalAddr is the address of the client's socket.
func (c *Client) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// receive hands replies to those who wait for them, until the socket closes.
func (c *Client) receive() {
	defer c.received.Done()
	buf := make([]byte, 64<<10)
	for {
		n, from, err := c.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				c.failAll()
				return
			}
			time.Sleep(time.Millisecond) // an error of the network, reported once
			continue
		}
		if from.Addr().Unmap().WithZone("") == c.server.Addr().WithZone("") {
			c.deliver(buf[:n])
		}
	}
}

// deliver gives one datagram to its request, if somebody waits for it.
func (c *Client) deliver(b []byte) {
	h, _, st := wire.Parse(b)
	if st != wire.StatusOK || h.Flags()&wire.FlagReply == 0 {
		return
	}
	c.mu.Lock()
	key := flightKey(h.Session(), h.Seq())
	r := c.inFlight[key]
	if r == nil {
		c.mu.Unlock()
		return
	}
	if p := h.Port(); p != 0 {
		c.home.Store(uint32(p))
	}
	if h.Status() == wire.StatusPending {
		c.mu.Unlock() // it is being executed: wait on
		return
	}
	delete(c.inFlight, key)
	r.in = append(r.in[:0], b...)
	c.mu.Unlock()
	r.done <- struct{}{}
}

func (c *Client) failAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, r := range c.inFlight {
		delete(c.inFlight, key)
		r.in = r.in[:0]
		r.done <- struct{}{}
	}
}

func flightKey(session, seq uint32) uint64 { return uint64(session)<<32 | uint64(seq) }

package e2e

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"shredder/client"
	"shredder/dataplane"
	"shredder/dataplane/nic"
	"shredder/dataplane/nic/udp"
	"shredder/internal/config"
	"shredder/jit"
	"shredder/pktproc"
	"shredder/store/arena"
	"shredder/tenants"
)

// patience bounds every wait. It is no expectation of speed: a machine this
// slow has stopped.
const patience = 60 * time.Second

// device is what a site's frames come through.
type device struct {
	queues         []nic.Queue
	addresses      pktproc.Addresses
	registerThread func() (func(), error)
}

// site is a whole server in this process.
type site struct {
	t        testing.TB
	port     uint16
	hosts    []string // "127.0.0.1" and, where there is IPv6, "[::1]"
	lcores   int
	limits   pktproc.Limits
	registry *tenants.Registry
	plane    *dataplane.Plane
	sockets  []*udp.Queue // of a site on kernel sockets
	idle     []int        // their InUse before the first frame
}

var names atomic.Uint32

// startUDP starts a site on kernel sockets, on IPv4 and IPv6 loopback, on free
// ports. Limits are pktproc's, the default ones if none are given. Its end fails the test if a frame or a goroutine is left.
func startUDP(t testing.TB, lcores int, limits ...pktproc.Limits) *site {
	t.Helper()
	ignored := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignored) })
	s := &site{t: t, lcores: lcores}
	for _, a := range config.Default().Listen {
		s.hosts = append(s.hosts, strings.TrimSuffix(netip.AddrPortFrom(a, 0).String(), ":0"))
	}
	if len(limits) > 0 {
		s.limits = limits[0]
	}
	s.listen(0)
	t.Cleanup(s.stop)
	return s
}

// listen opens the sockets and starts the server with some tenants, on the port
// given or one that is free.
func (s *site) listen(port uint16, specs ...tenants.Spec) {
	s.t.Helper()
	var err error
	for range 100 {
		if s.sockets, err = openSockets(port, s.lcores); err == nil {
			break
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.port = s.sockets[0].Address().Port()
	s.idle = nil
	d := device{}
	for mine := range slices.Chunk(s.sockets, len(s.sockets)/s.lcores) {
		d.queues = append(d.queues, udp.Join(mine...))
	}
	for _, q := range s.sockets {
		s.idle = append(s.idle, q.InUse())
	}
	udp.Share(s.sockets...)
	s.serve(d, specs...)
}

// openSockets opens a socket for each loopback address and lcore. Port 0 stands for one below those that
// the kernel gives to clients, so that none of them takes it while a server is
// restarted; it may be another server's, or its neighbours: then try again.
func openSockets(port uint16, lcores int) (sockets []*udp.Queue, err error) {
	if port == 0 {
		port = uint16(20_000 + rand.IntN(12_000))
	}
	for lcore := range lcores {
		for _, a := range config.Default().Listen {
			q, err := udp.Open(udp.Config{Address: netip.AddrPortFrom(a, port+uint16(lcore))})
			if err != nil {
				for _, s := range sockets {
					s.Close()
				}
				return nil, err
			}
			sockets = append(sockets, q)
		}
	}
	return sockets, nil
}

// serve starts the lcores on a device, when their tenants wait for them.
func (s *site) serve(d device, specs ...tenants.Spec) {
	s.t.Helper()
	var plane atomic.Pointer[dataplane.Plane]
	s.registry = tenants.NewRegistry(tenants.Config{
		Lcores: s.lcores, Budget: arena.NewBudget(4 << 30), Loader: tenants.Interpreter{},
		Post: func(lcore int, ev tenants.Event) { plane.Load().Post(lcore, ev) }, Logger: zerolog.Nop(),
	})
	pc := pktproc.Config{BasePort: s.port, Addresses: d.addresses, Registry: s.registry, Limits: s.limits}
	crand.Read(pc.ServerKey[:])
	p, err := dataplane.New(dataplane.Config{Queues: d.queues, Idle: dataplane.Adaptive, RegisterThread: d.registerThread, Processor: pc})
	if err != nil {
		s.t.Fatal(err)
	}
	plane.Store(p)
	s.plane = p
	for _, spec := range specs {
		if _, err := s.registry.Create(spec); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := p.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// stop ends the server, and fails if the driver misses a frame.
func (s *site) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.plane.Close(ctx); err != nil {
		s.t.Error(err)
	}
	if err := s.registry.Close(ctx); err != nil {
		s.t.Error(err)
	}
	for i, q := range s.sockets {
		if n := q.InUse(); n != 0 {
			s.t.Errorf("socket %d: %d frames are missing after the end", i, n)
		}
	}
	s.sockets = nil
}

// addrs are the addresses of lcore i's port, one for each protocol.
func (s *site) addr(host string, lcore int) string {
	return fmt.Sprintf("%s:%d", host, int(s.port)+lcore)
}

// open is a tenant without tokens and with the limits of development.
func open(name string) tenants.Spec {
	return tenants.Spec{Name: name, NoToken: true, NoDeployToken: true, Home: -1, Trust: tenants.TrustTrusted, Limits: jit.DevelopmentLimits()}
}

// tenant makes a tenant with a library, named after the spec's name and a number,
// and deletes it at the end of the test. It returns the name.
func (s *site) tenant(t testing.TB, spec tenants.Spec, library string) string {
	t.Helper()
	spec.Name = fmt.Sprintf("%s-%d", spec.Name, names.Add(1))
	if library != "" {
		spec.Libraries = append(spec.Libraries, tenants.Source{Name: "library", Text: []byte(library)})
	}
	s.create(t, spec)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.registry.Delete(ctx, spec.Name); err != nil {
			t.Error(err)
		}
	})
	return spec.Name
}

// create makes a tenant and waits until every lcore knows it.
func (s *site) create(t testing.TB, spec tenants.Spec) *tenants.Local {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	l, err := s.registry.Create(spec)
	if err == nil {
		err = s.registry.Settle(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// dial opens a client and closes it at the end of the test.
func dial(t testing.TB, addr string, o client.Options) *client.Client {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = patience
	}
	c, err := client.Dial(t.Context(), addr, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// eventually waits for something that needs no more than other threads' turns.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

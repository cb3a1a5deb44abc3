package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strconv"

	"github.com/rs/zerolog"

	"shredder/dataplane"
	"shredder/dataplane/nic"
	"shredder/dataplane/nic/mem"
	"shredder/jit"
	"shredder/pktproc"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/store/arena"
	"shredder/tenants"
)

// Options say how large a run is. The zero value is not one; Small is.
type Options struct {
	Lcores, Tenants, Clients int // Clients of each tenant
	Requests                 int // of each client
	Faults                   mem.Faults
}

// Small is a run of some hundred requests over a bad network.
func Small() Options {
	return Options{
		Lcores: 2, Tenants: 2, Clients: 2, Requests: 40,
		Faults: mem.Faults{Loss: 0.05, Duplicate: 0.08, Reorder: 0.1, Truncate: 0.02, Corrupt: 0.02, Full: 0.02},
	}
}

// Report is what happened in a run, for tests that want a run to have tested something.
type Report struct {
	Answered   int
	Statuses   map[wire.Status]int
	Retries    int
	Forwarded  uint64
	Steps      int
	SimSeconds float64
}

type simTenant struct {
	name    string
	token   []byte
	pair    [2]string
	counter string
	local   *tenants.Local
}

// world is one run.
type world struct {
	random   *rand.Rand
	options  Options
	now      pktproc.Clock
	wire     *mem.Wire
	plane    *dataplane.Plane
	registry *tenants.Registry
	budget   *arena.Budget
	jobs     []*tenants.Job
	posted   chan struct{} // a job's answer has been posted
	tenants  []*simTenant
	clients  []*client
	byPort   map[uint16]*client
	lcores   int
	basePort uint16
	retries  int
	draining bool
}

const basePort = 9000

var (
	serverMAC = [6]byte{2, 0, 0, 0, 0, 1}
	server4   = netip.MustParseAddr("10.1.0.1")
	server6   = netip.MustParseAddr("fd00::1")
)

func (w *world) server(v6 bool) endpoint {
	if v6 {
		return endpoint{mac: serverMAC, addr: server6}
	}
	return endpoint{mac: serverMAC, addr: server4}
}

// Submit implements pktproc.Jobs: a job waits until the schedule runs it.
func (w *world) Submit(job *tenants.Job) bool {
	w.jobs = append(w.jobs, job)
	return true
}

// Run simulates one seed and returns what went wrong, if anything. It locks the
// goroutine's thread, on which alone suspended calls may be resumed.
func Run(seed uint64, o Options) (report Report, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	w, err := newWorld(seed, o)
	if err != nil {
		return report, err
	}
	defer func() {
		if closeErr := w.close(); err == nil {
			err = closeErr
		}
	}()
	if err := w.run(&report); err != nil {
		return report, err
	}
	return report, w.finalCheck()
}

func newWorld(seed uint64, o Options) (*world, error) {
	w := &world{
		random: rand.New(rand.NewPCG(seed, 0x51)), options: o, lcores: o.Lcores, basePort: basePort,
		now: pktproc.Clock{UnixMillis: 1_700_000_000_000, MonoNanos: 1e9}, posted: make(chan struct{}, 1),
		byPort: map[uint16]*client{}, budget: arena.NewBudget(1 << 30),
	}
	w.wire = mem.NewWire(mem.Config{Queues: o.Lcores, Seed: seed, ToServer: o.Faults, ToHost: o.Faults, BasePort: basePort})
	queues := make([]nic.Queue, o.Lcores)
	for i := range queues {
		queues[i] = w.wire.Queue(i)
	}
	w.registry = tenants.NewRegistry(tenants.Config{
		Lcores: o.Lcores, Budget: w.budget, Loader: tenants.Interpreter{}, Post: w.post,
		NowMillis: func() int64 { return w.now.UnixMillis }, Logger: zerolog.Nop(),
	})
	pc := pktproc.Config{BasePort: basePort, Registry: w, Addresses: pktproc.Addresses{
		MAC: serverMAC, IPv4: []netip.Prefix{netip.PrefixFrom(server4, 16)}, IPv6: []netip.Prefix{netip.PrefixFrom(server6, 64)},
	}}
	pc.ServerKey[0] = byte(seed)
	var err error
	w.plane, err = dataplane.New(dataplane.Config{Queues: queues, Processor: pc, Now: func() pktproc.Clock { return w.now }})
	if err != nil {
		return nil, err
	}
	for i := range o.Tenants {
		if err := w.addTenant(i); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) post(lcore int, ev tenants.Event) {
	w.plane.Post(lcore, ev)
	if ev.Kind == tenants.EventJobDone {
		w.posted <- struct{}{}
	}
}

func (w *world) addTenant(i int) error {
	t := &simTenant{name: fmt.Sprintf("tenant-%d", i), counter: "900000"}
	t.pair = [2]string{"pair:a", "7"}
	spec := tenants.Spec{Name: t.name, Quota: 8 << 20, NoToken: true, NoDeployToken: true, Home: -1, Trust: tenants.TrustTrusted, Limits: jit.DefaultLimits(),
		Libraries: []tenants.Source{{Name: "sim", Text: []byte(simLibrary)}}}
	if i%2 == 1 {
		t.token = []byte("a secret of " + t.name)
		spec.NoToken, spec.DataToken = false, t.token
	}
	var err error
	if t.local, err = w.registry.Create(spec); err != nil {
		return err
	}
	w.tenants = append(w.tenants, t)
	for range w.options.Clients {
		c := &client{world: w, id: len(w.clients), tenant: t, model: &model{keys: map[string]entry{}}, statuses: map[wire.Status]int{}, serverPort: basePort}
		c.random = rand.New(rand.NewPCG(w.random.Uint64(), w.random.Uint64()))
		c.port = uint16(20_000 + c.id)
		c.mac = [6]byte{2, 0, 0, 0, 1, byte(c.id)}
		c.addr = netip.AddrFrom4([4]byte{10, 1, 1, byte(c.id + 1)})
		if c.id%3 == 2 {
			c.addr = netip.MustParseAddr("fd00::1:" + strconv.Itoa(c.id+1))
		}
		w.clients = append(w.clients, c)
		w.byPort[c.port] = c
	}
	return nil
}

// maxSteps bounds a run: one that comes so far has a request that never ends.
const maxSteps = 4_000_000

// run lets the schedule, drawn from the seed, pick who acts next.
func (w *world) run(r *Report) error {
	r.Statuses = map[wire.Status]int{}
	start := w.now.MonoNanos
	for r.Steps = 0; r.Steps < maxSteps; r.Steps++ {
		if err := w.step(); err != nil {
			return err
		}
		if r.Steps%64 == 0 && w.settled() {
			break
		}
	}
	r.SimSeconds = float64(w.now.MonoNanos-start) / 1e9
	for _, c := range w.clients {
		r.Answered += c.answered
		for st, n := range c.statuses {
			r.Statuses[st] += n
		}
		if !c.idle() {
			return fmt.Errorf("client %d waits for %d, phase %d, after %d steps and %d retries", c.id, c.seq, c.phase, r.Steps, c.retries)
		}
	}
	r.Retries = w.retries
	for i := range w.lcores {
		w.plane.Processor(i).Counters().Each(func(name string, n uint64) {
			if name == "forwarded" {
				r.Forwarded += n
			}
		})
	}
	return nil
}

// settled tells whether all clients have had their answers. When they have asked
// enough, they stop asking and the network mends.
func (w *world) settled() bool {
	enough := true
	for _, c := range w.clients {
		enough = enough && c.answered >= w.options.Requests
	}
	if enough && !w.draining {
		w.draining = true
		w.wire.SetFaults(mem.Faults{}, mem.Faults{})
	}
	if !w.draining {
		return false
	}
	for _, c := range w.clients {
		if !c.idle() {
			return false
		}
	}
	return true
}

func (w *world) step() error {
	w.advance(w.random.Int64N(20_000))
	switch p := w.random.IntN(100); {
	case p < 60:
		w.plane.Core(w.random.IntN(w.lcores)).Step()
	case p < 80:
		c := w.clients[w.random.IntN(len(w.clients))]
		before := c.retries
		c.act()
		if c.retries > before {
			w.retries++
		}
	case p < 95:
		return w.deliver()
	default:
		w.runJob()
		if w.random.IntN(4) == 0 {
			w.advance(w.random.Int64N(2_000_000))
		}
	}
	return nil
}

func (w *world) advance(nanos int64) {
	w.now.MonoNanos += nanos
	w.now.UnixMillis = 1_700_000_000_000 + w.now.MonoNanos/1_000_000
}

// runJob lets the control threads do one of the waiting jobs, and waits for them.
func (w *world) runJob() {
	if len(w.jobs) == 0 {
		return
	}
	i := w.random.IntN(len(w.jobs))
	job := w.jobs[i]
	w.jobs = append(w.jobs[:i], w.jobs[i+1:]...)
	if w.registry.Submit(job) {
		<-w.posted
	}
}

// deliver brings what the server has sent to the clients.
func (w *world) deliver() error {
	for range 1 + w.random.IntN(8) {
		frame, ok := w.wire.Collect()
		if !ok {
			return nil
		}
		from, to, payload, corrupt, err := parseFrame(frame)
		if err != nil {
			return err
		}
		if corrupt {
			if w.options.Faults == (mem.Faults{}) {
				return fmt.Errorf("a damaged frame from a perfect network: %x", frame)
			}
			continue
		}
		c := w.byPort[to.port]
		if c == nil || c.addr != to.addr || c.mac != to.mac || from.mac != serverMAC {
			if w.options.Faults.Corrupt > 0 {
				continue // a bit of the addresses, which no checksum covers, was flipped on either way
			}
			return fmt.Errorf("a reply to nobody: %v:%d from %v", to.addr, to.port, from.mac)
		}
		if err := c.receive(from, payload); err != nil {
			return err
		}
	}
	return nil
}

// finalCheck compares the store itself with what the clients know.
func (w *world) finalCheck() error {
	increments := map[*simTenant]int64{}
	for _, c := range w.clients {
		for key, e := range c.model.keys {
			got, r := c.tenant.local.Shard.Get(store.BytesKey([]byte(key)), w.now.UnixMillis)
			if r != store.OK || string(got.Value) != string(e.value) || got.Version != e.version {
				return fmt.Errorf("at the end %q holds %q, %d (%v); client %d knows %q, %d", key, got.Value, got.Version, r, c.id, e.value, e.version)
			}
		}
		increments[c.tenant] += c.increments
	}
	for t, n := range increments {
		got, _ := t.local.Shard.Get(store.BytesKey([]byte(t.counter)), w.now.UnixMillis)
		if string(got.Value) != strconv.FormatInt(n, 10) && n != 0 {
			return fmt.Errorf("%s counted %q, its clients %d: something ran twice or not at all", t.name, got.Value, n)
		}
		a, _ := t.local.Shard.Get(store.BytesKey([]byte(t.pair[0])), w.now.UnixMillis)
		b, _ := t.local.Shard.Get(store.BytesKey([]byte(t.pair[1])), w.now.UnixMillis)
		if string(a.Value) != string(b.Value) {
			return fmt.Errorf("%s ends with half a pair: %q, %q", t.name, a.Value, b.Value)
		}
	}
	return nil
}

package dataplane_test

import (
	"context"
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sys/unix"

	"shredder/dataplane"
	"shredder/dataplane/nic"
	"shredder/dataplane/nic/mem"
	"shredder/pktproc"
	"shredder/pktproc/wire"
	"shredder/store/arena"
	"shredder/tenants"
)

const basePort = 9000

var serverMAC = [6]byte{2, 0, 0, 0, 0, 1}

// rig is a plane on an in-memory wire with one tenant at home on the last lcore.
type rig struct {
	wire     *mem.Wire
	plane    *dataplane.Plane
	registry *tenants.Registry
	budget   *arena.Budget
	tenant   *tenants.Local
}

func newRig(t *testing.T, lcores int, cfg dataplane.Config) *rig {
	t.Helper()
	r := &rig{budget: arena.NewBudget(1 << 30)}
	r.wire = mem.NewWire(mem.Config{Queues: lcores, BasePort: basePort})
	for i := range lcores {
		cfg.Queues = append(cfg.Queues, r.wire.Queue(i))
	}
	r.registry = tenants.NewRegistry(tenants.Config{Lcores: lcores, Budget: r.budget, Loader: tenants.Interpreter{},
		Post: func(lcore int, ev tenants.Event) { r.plane.Post(lcore, ev) }, Logger: zerolog.Nop()})
	cfg.Processor = pktproc.Config{BasePort: basePort, Registry: r.registry, Addresses: pktproc.Addresses{MAC: serverMAC}}
	var err error
	if r.plane, err = dataplane.New(cfg); err != nil {
		t.Fatal(err)
	}
	r.tenant, err = r.registry.Create(tenants.Spec{Name: "t", ID: 7, Quota: 1 << 20, NoToken: true, NoDeployToken: true, Trust: tenants.TrustTrusted,
		TrustedSources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Home: lcores - 1})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// request builds a trusted datagram of one operation to an lcore's port, UDP checksum 0.
func request(lcore int, seq uint32, put func(w *wire.Writer)) []byte {
	w := wire.NewWriter(make([]byte, 0, wire.MaxDatagram))
	put(&w)
	payload := w.Finish(wire.HeaderFields{Flags: wire.FlagTrusted, Session: 7, Seq: seq})
	frame := append([]byte{}, serverMAC[:]...)
	frame = append(frame, 2, 0, 0, 0, 0, 9, 0x08, 0x00)
	ip := make([]byte, 28)
	ip[0], ip[8], ip[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(payload)))
	copy(ip[12:], []byte{10, 0, 0, 9, 10, 0, 0, 1})
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum))
	binary.BigEndian.PutUint16(ip[20:], 5555)
	binary.BigEndian.PutUint16(ip[22:], uint16(basePort+lcore))
	binary.BigEndian.PutUint16(ip[24:], uint16(8+len(payload)))
	return append(append(frame, ip...), payload...)
}

func reply(t *testing.T, frame []byte) (wire.Header, wire.Op) {
	t.Helper()
	h, ops, st := wire.Parse(frame[42:])
	if st != wire.StatusOK {
		t.Fatalf("reply does not parse: %v", st)
	}
	op, _, _ := wire.FirstOp(ops)
	return h, op
}

func set(key uint64, value string) func(*wire.Writer) {
	return func(w *wire.Writer) { w.Begin(wire.OpSet, 0, 0); w.IntKey(key); w.Value([]byte(value)); w.End() }
}

func get(key uint64) func(*wire.Writer) {
	return func(w *wire.Writer) { w.Begin(wire.OpGet, 0, 0); w.IntKey(key); w.End() }
}

// TestHandover: a request that lands on the wrong lcore is executed at home and
// answered from there, and the reply names the right port.
func TestHandover(t *testing.T) {
	r := newRig(t, 3, dataplane.Config{})
	for i, put := range []func(*wire.Writer){set(5, "five"), get(5)} {
		r.wire.Inject(request(0, uint32(i+1), put))
		for range 3 {
			for core := range 3 {
				r.plane.Core(core).Step()
			}
		}
		frames := r.wire.CollectAll()
		if len(frames) != 1 {
			t.Fatalf("%d replies to request %d", len(frames), i)
		}
		h, op := reply(t, frames[0])
		if h.Port() != basePort+2 || op.Status() != wire.StatusOK || h.Seq() != uint32(i+1) {
			t.Fatalf("reply from port %d, status %v", h.Port(), op.Status())
		}
		if i == 1 && string(op.Value()) != "five" {
			t.Fatalf("value %q", op.Value())
		}
	}
	if s := r.plane.Stats(2); s.BusyTurns == 0 || s.Queue.TxFrames != 2 || s.Queue.RxFrames != 0 {
		t.Errorf("home lcore's figures: %+v", s.Queue)
	}
	closeRig(t, r)
}

func closeRig(t *testing.T, r *rig) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.plane.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.registry.Close(ctx); err != nil { // after the plane: events are handled all the same
		t.Fatal(err)
	}
	if r.budget.Used() != 0 {
		t.Errorf("%d bytes of the budget not given back", r.budget.Used())
	}
	for i := range r.wire.Queues() {
		if n := r.wire.Queue(i).InUse(); n != 0 {
			t.Errorf("queue %d: %d frames not given back", i, n)
		}
	}
}

// TestRunningLcores: real threads, both idle strategies, requests answered, threads
// registered and unregistered.
func TestRunningLcores(t *testing.T) {
	for _, idle := range []dataplane.Strategy{dataplane.Poll, dataplane.Adaptive} {
		threads := make(chan int, 8)
		r := newRig(t, 2, dataplane.Config{Idle: idle, RegisterThread: func() (func(), error) {
			threads <- unix.Gettid()
			return func() { threads <- -unix.Gettid() }, nil
		}})
		if err := r.plane.Start(); err != nil {
			t.Fatal(err)
		}
		if err := r.plane.Start(); err == nil {
			t.Error("started twice")
		}
		for seq := uint32(1); seq <= 50; seq++ {
			r.wire.Inject(request(int(seq%2), seq, set(uint64(seq), "v")))
			deadline := time.Now().Add(30 * time.Second)
			for {
				if frame, ok := r.wire.Collect(); ok {
					if h, op := reply(t, frame); h.Seq() != seq || op.Status() != wire.StatusOK {
						t.Fatalf("%v: reply %d, %v", idle, h.Seq(), op.Status())
					}
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%v: no reply to %d", idle, seq)
				}
				runtime.Gosched()
			}
		}
		closeRig(t, r)
		first, second := <-threads, <-threads
		if first == second {
			t.Error("two lcores on one thread")
		}
		left := map[int]bool{<-threads: true, <-threads: true}
		if !left[-first] || !left[-second] {
			t.Errorf("threads %d and %d registered, %v unregistered", first, second, left)
		}
	}
}

func TestStartSaysWhichCPUIsMissing(t *testing.T) {
	r := newRig(t, 2, dataplane.Config{CPUs: []int{-1, 1000}})
	err := r.plane.Start()
	if err == nil || !strings.Contains(err.Error(), "lcore 1") || !strings.Contains(err.Error(), "CPU 1000") {
		t.Errorf("start on CPU 1000: %v", err)
	}
	closeRig(t, r)
}

func TestConfigRefused(t *testing.T) {
	if _, err := dataplane.New(dataplane.Config{}); err == nil {
		t.Error("a plane without queues")
	}
	w := mem.NewWire(mem.Config{})
	_, err := dataplane.New(dataplane.Config{Queues: []nic.Queue{w.Queue(0)}, CPUs: []int{0, 1}, Processor: pktproc.Config{BasePort: 1}})
	if err == nil || !strings.Contains(err.Error(), "2 CPUs for 1 queues") {
		t.Errorf("two CPUs for one queue: %v", err)
	}
}

// TestStepAllocatesNothing: garbage on the path of a request would bring collections.
func TestStepAllocatesNothing(t *testing.T) {
	r := newRig(t, 1, dataplane.Config{})
	core := r.plane.Core(0)
	core.Step()
	requests := [][]byte{request(0, 1, set(1, "one")), request(0, 2, get(1)), request(0, 3, get(99))}
	if n := testing.AllocsPerRun(500, func() {
		for _, frame := range requests {
			r.wire.Inject(frame)
		}
		core.Step()
		core.Step()
		for range requests {
			if _, ok := r.wire.Collect(); !ok {
				t.Fatal("a request without a reply")
			}
		}
	}); n > 3 { // Collect's own: a copy of each reply
		t.Errorf("%v allocations for three requests, the test's own are 3", n)
	}
	idle := testing.AllocsPerRun(5000, func() { core.Step() })
	if idle != 0 {
		t.Errorf("an idle turn allocates %v times", idle)
	}
	closeRig(t, r)
}

// TestGapsBeginWithTheLoop: what happens before the first poll is no gap between two.
func TestGapsBeginWithTheLoop(t *testing.T) {
	now := pktproc.Clock{UnixMillis: 1, MonoNanos: 5e9}
	r := newRig(t, 1, dataplane.Config{Now: func() pktproc.Clock { return now }})
	for range 3 {
		r.plane.Core(0).Step()
		now.MonoNanos += 1000
	}
	if s := r.plane.Stats(0); s.Gaps.Max != 1000 || s.Turns != 3 || s.BusyNanos > 2000 {
		t.Errorf("longest gap %d ns of %d turns, %d ns busy; want 1000 ns", s.Gaps.Max, s.Turns, s.BusyNanos)
	}
	closeRig(t, r)
}

// TestTune runs in a process of its own, which it changes for good.
func TestTune(t *testing.T) {
	if os.Getenv("SHREDDER_TUNE_CHILD") == "" {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestTune$", "-test.v")
		cmd.Env = append(os.Environ(), "SHREDDER_TUNE_CHILD=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		t.Fatal(err)
	}
	poller := 0
	for !allowed.IsSet(poller) {
		poller++
	}
	tuning, err := dataplane.Tune(dataplane.TuneConfig{Pollers: []int{poller}, MemoryLimit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	if tuning.MaxProcs != runtime.GOMAXPROCS(0) || debug.SetGCPercent(-1) != -1 || debug.SetMemoryLimit(-1) != 1<<30 {
		t.Errorf("%+v, GOMAXPROCS %d", tuning, runtime.GOMAXPROCS(0))
	}
	if tuning.Shared != (allowed.Count() == 1) {
		t.Errorf("%d CPUs, shared %v", allowed.Count(), tuning.Shared)
	}
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		tid, _ := strconv.Atoi(e.Name())
		var set unix.CPUSet
		if err := unix.SchedGetaffinity(tid, &set); err != nil {
			continue // it has ended
		}
		if set.IsSet(poller) && !tuning.Shared {
			t.Errorf("thread %d may still run on the lcore's CPU %d", tid, poller)
		}
	}
	if _, err := dataplane.Tune(dataplane.TuneConfig{Pollers: []int{1000}}); err == nil || !strings.Contains(err.Error(), "CPU 1000") {
		t.Errorf("an lcore on CPU 1000: %v", err)
	}
}

// TestSubmit: batches reach the home lcore from any thread, also one that sleeps,
// and are answered when the lcores have ended.
func TestSubmit(t *testing.T) {
	for _, idle := range []dataplane.Strategy{dataplane.Poll, dataplane.Adaptive} {
		r := newRig(t, 2, dataplane.Config{Idle: idle})
		if err := r.plane.Start(); err != nil {
			t.Fatal(err)
		}
		var back pktproc.Returns
		back.Ring = func() {}
		stop := make(chan struct{})
		waker := make(chan struct{})
		go func() {
			defer close(waker)
			for {
				select {
				case <-stop:
					return
				default:
					if !back.Wake() {
						time.Sleep(100 * time.Microsecond)
					}
				}
			}
		}()
		c := &commands{}
		b := back.NewBatch(c)
		b.Local = r.tenant
		for range 20 {
			r.plane.Submit(b)
			b.Await()
		}
		if c.ran != 20 || c.failed != wire.StatusOK {
			t.Errorf("%v: %d runs, %v", idle, c.ran, c.failed)
		}
		closeRig(t, r)
		r.plane.Submit(b)
		b.Await()
		if c.ran != 20 || c.failed == wire.StatusOK {
			t.Errorf("%v after the end: %d runs, %v", idle, c.ran, c.failed)
		}
		close(stop)
		<-waker
	}
}

type commands struct {
	ran    int
	failed wire.Status
}

func (c *commands) Run(*pktproc.Exec) pktproc.BatchStep { c.ran++; return pktproc.BatchDone }
func (c *commands) Fail(why wire.Status) bool           { c.failed = why; return false }

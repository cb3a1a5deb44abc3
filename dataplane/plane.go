package dataplane

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
	"shredder/pktproc"
	"shredder/tenants"
)

// Config says what a Plane is made of.
type Config struct {
	// Queues holds one queue for each lcore. The Plane closes them.
	Queues []nic.Queue
	// CPUs[i] is the CPU that lcore i is pinned to, −1 for none. Empty: none is.
	CPUs []int
	// Idle is what an lcore does when there is nothing to do.
	Idle Strategy
	// RegisterThread, if set, is called on each lcore's thread before it polls
	// (DPDK gives the thread its mempool cache there), and what it returns before the thread ends.
	RegisterThread func() (unregister func(), err error)
	// Processor is the part of the configuration that all lcores share. Lcore,
	// Lcores, Queue and Forward are set here.
	Processor pktproc.Config
	// Now replaces the clock, in simulations.
	Now func() pktproc.Clock
}

// Plane is the lcores of one server.
type Plane struct {
	cores []*Core
	cfg   Config

	mu      sync.Mutex // serialises Start and Close, and events after the end
	started bool
	closed  bool
	ended   atomic.Bool // closed, for Submit
	running sync.WaitGroup
}

// New builds the lcores. None runs until Start; a simulation steps them itself.
func New(cfg Config) (*Plane, error) {
	n := len(cfg.Queues)
	if n == 0 {
		return nil, errors.New("dataplane: no queue: at least one lcore is needed")
	}
	if len(cfg.CPUs) != 0 && len(cfg.CPUs) != n {
		return nil, fmt.Errorf("dataplane: %d CPUs for %d queues", len(cfg.CPUs), n)
	}
	p := &Plane{cfg: cfg}
	for i := range n {
		c := &Core{lcore: i, queue: cfg.Queues[i], now: cfg.Now}
		if c.now == nil {
			c.now = newWallClock().read
		}
		if n > 1 {
			c.outbox = make([]*handover, n)
			c.inbox.rings = make([]*handover, n)
		}
		pc := cfg.Processor
		pc.Lcore, pc.Lcores, pc.Queue, pc.Forward = i, n, cfg.Queues[i], c.forward
		proc, err := pktproc.New(pc)
		if err != nil {
			return nil, fmt.Errorf("dataplane: lcore %d: %w", i, err)
		}
		c.proc = proc
		c.waker, _ = c.queue.(waker)
		p.cores = append(p.cores, c)
	}
	for from, c := range p.cores {
		for to := range c.outbox {
			if to != from {
				ring := new(handover)
				c.outbox[to], p.cores[to].inbox.rings[from] = ring, ring
			}
		}
	}
	return p, nil
}

// Start starts the lcores. If one cannot be pinned or registered, those already
// running are stopped and the error says which.
func (p *Plane) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started || p.closed {
		return errors.New("dataplane: already started")
	}
	p.started = true
	for i, c := range p.cores {
		cpu := -1
		if len(p.cfg.CPUs) != 0 {
			cpu = p.cfg.CPUs[i]
		}
		ready := make(chan error)
		p.running.Go(func() { p.lcoreMain(c, cpu, ready) })
		if err := <-ready; err != nil {
			p.stopCores()
			return fmt.Errorf("dataplane: lcore %d: %w", i, err)
		}
	}
	return nil
}

// lcoreMain is the goroutine of one lcore. It never gives its thread back: a
// pinned thread in Go's pool would confine other goroutines to the lcore's CPU.
func (p *Plane) lcoreMain(c *Core, cpu int, ready chan<- error) {
	runtime.LockOSThread()
	if cpu >= 0 {
		var set unix.CPUSet
		set.Set(cpu)
		if err := unix.SchedSetaffinity(0, &set); err != nil {
			ready <- fmt.Errorf("pin to CPU %d: %w", cpu, err)
			return
		}
	}
	if p.cfg.RegisterThread != nil {
		unregister, err := p.cfg.RegisterThread()
		if err != nil {
			ready <- err
			return
		}
		defer unregister()
	}
	ready <- nil
	c.run(p.cfg.Idle)
	c.end()
}

// Post gives an event to an lcore. It never blocks. Once the lcores have ended, the
// event is handled at once on the calling thread, so that what waits for an
// answer (a tenant's deletion) still gets it.
func (p *Plane) Post(lcore int, ev tenants.Event) {
	c := p.cores[lcore]
	c.mailbox.post(ev)
	c.rouse()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		c.readMail()
	}
}

// Lcores returns the number of lcores.
func (p *Plane) Lcores() int { return len(p.cores) }

// Core returns lcore i, for a simulation that steps it instead of Start.
func (p *Plane) Core(i int) *Core { return p.cores[i] }

// Processor returns the processor of lcore i, whose counters any thread may read.
func (p *Plane) Processor(i int) *pktproc.Processor { return p.cores[i].proc }

// Stats returns what lcore i has done. Any thread may call it.
func (p *Plane) Stats(i int) CoreStats { return p.cores[i].stats() }

// stopCores ends the loops and waits for them.
func (p *Plane) stopCores() {
	for _, c := range p.cores {
		c.stop.Store(true)
	}
	p.running.Wait()
}

// Close stops the lcores, ends what still runs on them and closes the queues.
// It waits for the lcores, each of which is at most one slice from its next
// look at the flag, or until ctx ends, and then leaves everything as it is.
func (p *Plane) Close(ctx context.Context) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	stopped := make(chan struct{})
	go func() { p.stopCores(); close(stopped) }()
	select {
	case <-stopped:
	case <-ctx.Done():
		return fmt.Errorf("dataplane: an lcore does not stop: %w", ctx.Err())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	p.ended.Store(true)
	var errs []error
	for _, c := range p.cores {
		if !p.started {
			c.end()
		}
		c.readMail()
		c.proc.TakeBatches(c.batches.Take())
		c.proc.RunBatches(c.now())
		errs = append(errs, c.queue.Close())
	}
	return errors.Join(errs...)
}

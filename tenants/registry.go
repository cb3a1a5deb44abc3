package tenants

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"shredder/store"
	"shredder/store/arena"
)

// Config is what a Registry is made of.
type Config struct {
	Lcores int
	// Budget is the memory of all tenants' arenas together.
	Budget *arena.Budget
	// Post gives an event to an lcore without blocking. After the lcores have
	// ended it handles the event itself.
	Post func(lcore int, ev Event)
	// Loader compiles libraries and makes runtimes.
	Loader Loader
	// MaxRuntimes is how many tenants keep a runtime at once; 0 means DefaultRuntimes.
	MaxRuntimes int
	// MaxVersions is how many versions one tenant keeps; 0 means DefaultVersions.
	MaxVersions int
	// Makers is how many goroutines make runtimes; 0 means one. Deployments have their own.
	Makers int
	// NowMillis is the clock, Unix milliseconds; nil means the system's.
	NowMillis func() int64
	Logger    zerolog.Logger
}

// Defaults of Config.
const (
	DefaultRuntimes = 16 << 10
	DefaultVersions = 16
)

// Errors that callers tell apart.
var (
	ErrExists    = errors.New("there is already a tenant of that name or id")
	ErrNoTenant  = errors.New("no such tenant")
	ErrNoVersion = errors.New("no such version")
	ErrLimit     = errors.New("limit reached")
	ErrMemory    = errors.New("not enough left in the memory budget of all tenants")
	ErrClosed    = errors.New("the registry is closed")
)

// Registry owns all tenants. Any control thread may call its methods; of all of
// them only Submit may be called by an lcore.
type Registry struct {
	cfg      Config
	runtimes runtimeClock
	pool     pool
	loads    []load // by lcore; under mu
	Stats    RegistryStats

	mu        sync.Mutex
	closed    bool
	byName    map[string]*tenant
	byID      map[uint32]*tenant
	usedIDs   map[uint32]struct{} // chosen by others, for ever
	nextID    uint64
	directory *Directory
	past      Counters       // what deleted tenants had counted
	ending    sync.WaitGroup // tenants that are not retired yet
}

// RegistryStats count what control threads did. Any thread may read them.
type RegistryStats struct {
	Created, Deleted, Deployments, BadLibraries, RuntimesMade, RuntimesEvicted, JobsRefused atomic.Uint64
	Compilations, CompilationsRefused                                                       atomic.Uint64
}

// load is what the tenants of one lcore weigh.
type load struct {
	tenants int
	quota   uint64
}

// tenant is a tenant as control threads see it.
type tenant struct {
	local *Local
	quota uint64
	open  bool // the deploy role needs no token

	mu       sync.Mutex // serialises everything below
	removed  bool
	trust    Trust
	versions []*Version // in order of deployment
	active   *Version
	previous []*Version // what was active before, oldest first

	clockAt   int    // place in the runtimeClock, −1 for none; under its mutex
	seenCalls uint64 // calls when the clock's hand last passed
}

// NewRegistry starts a registry without tenants. Close ends it.
func NewRegistry(cfg Config) *Registry {
	if cfg.MaxRuntimes == 0 {
		cfg.MaxRuntimes = DefaultRuntimes
	}
	if cfg.MaxVersions == 0 {
		cfg.MaxVersions = DefaultVersions
	}
	if cfg.NowMillis == nil {
		cfg.NowMillis = func() int64 { return time.Now().UnixMilli() }
	}
	r := &Registry{
		cfg: cfg, loads: make([]load, cfg.Lcores), nextID: FirstAssignedID,
		byName: map[string]*tenant{}, byID: map[uint32]*tenant{}, usedIDs: map[uint32]struct{}{},
		directory: new(Directory),
	}
	r.runtimes.limit = cfg.MaxRuntimes
	r.pool.start(max(cfg.Makers, 1), r.run)
	return r
}

// Create makes a tenant and hands it to its home lcore, which serves it soon (see
// Settle). The error names everything that is wrong with spec.
func (r *Registry) Create(spec Spec) (*Local, error) {
	if err := spec.check(r.cfg.Lcores); err != nil {
		return nil, fmt.Errorf("tenant %q: %w", spec.Name, err)
	}
	t, err := r.claim(&spec)
	if err != nil {
		return nil, fmt.Errorf("tenant %q: %w", spec.Name, err)
	}
	if err := r.furnish(t, &spec); err != nil {
		r.unclaim(t)
		return nil, fmt.Errorf("tenant %q: %w", spec.Name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		go r.retire(t)
		return nil, fmt.Errorf("tenant %q: %w", spec.Name, ErrClosed)
	}
	r.byID[t.local.ID] = t
	r.directory = r.directory.with(t.local.entry())
	r.cfg.Post(t.local.Home, Event{Kind: EventInstall, Local: t.local})
	r.postDirectory()
	r.Stats.Created.Add(1)
	return t.local, nil
}

// claim takes a name, an id and a place on an lcore.
func (r *Registry) claim(spec *Spec) (*tenant, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, ErrClosed
	}
	if _, taken := r.byName[spec.Name]; taken {
		return nil, ErrExists
	}
	id, err := r.takeID(spec.ID)
	if err != nil {
		return nil, err
	}
	home := spec.Home
	if home < 0 {
		home = leastLoad(r.loads)
	}
	r.loads[home].tenants++
	r.loads[home].quota += spec.Quota
	limits := spec.Limits
	t := &tenant{quota: spec.Quota, open: spec.NoDeployToken, trust: spec.Trust, clockAt: -1, local: &Local{
		ID: id, Home: home, Name: spec.Name, DataToken: spec.DataToken, DeployToken: spec.DeployToken,
		Trusted: spec.TrustedSources, Trust: spec.Trust, Limits: &limits, Quota: spec.Quota,
	}}
	r.byName[spec.Name] = t
	r.ending.Add(1) // until the tenant is retired
	return t, nil
}

// takeID returns the id asked for, or for 0 the next one that nobody ever had.
func (r *Registry) takeID(asked uint32) (uint32, error) {
	if asked != 0 {
		_, used := r.usedIDs[asked]
		if used || uint64(asked) >= FirstAssignedID && uint64(asked) < r.nextID {
			return 0, fmt.Errorf("id %d is or was another tenant's: %w", asked, ErrExists)
		}
		r.usedIDs[asked] = struct{}{}
		return asked, nil
	}
	for ; r.nextID < 1<<32; r.nextID++ {
		if _, used := r.usedIDs[uint32(r.nextID)]; !used {
			r.nextID++
			return uint32(r.nextID - 1), nil
		}
	}
	return 0, fmt.Errorf("every id has been used: %w", ErrLimit)
}

// leastLoad returns the lcore with the fewest tenants, among equals the one
// that has promised the least memory.
func leastLoad(loads []load) int {
	best := 0
	for i, l := range loads {
		b := loads[best]
		if l.tenants < b.tenants || l.tenants == b.tenants && l.quota < b.quota {
			best = i
		}
	}
	return best
}

// furnish opens the tenant's shard and deploys its first libraries.
func (r *Registry) furnish(t *tenant, spec *Spec) error {
	var seed [8]byte
	if t.quota > r.cfg.Budget.Limit() {
		return fmt.Errorf("quota of %d bytes: %w, which is %d bytes in all", t.quota, ErrMemory, r.cfg.Budget.Limit())
	}
	rand.Read(seed[:])
	shard, err := store.Open(store.Config{Quota: t.quota, Seed: binary.LittleEndian.Uint64(seed[:]), Budget: r.cfg.Budget})
	if err != nil {
		used, limit := r.cfg.Budget.Used(), r.cfg.Budget.Limit()
		if errors.Is(err, store.ErrBudget) {
			err = ErrMemory
		}
		return fmt.Errorf("open an arena of %d bytes: %w (%d of its %d bytes are left)", t.quota, err, limit-min(used, limit), limit)
	}
	t.local.Shard = shard
	if spec.Graph != nil {
		if t.local.GraphNodes, err = storeGraph(shard, spec.Graph, r.cfg.NowMillis()); err != nil {
			return fmt.Errorf("graph: %w", err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, source := range spec.Libraries {
		v, rt, compiled, err := r.build(t, source.Name, source.Text, nil)
		if err != nil {
			return fmt.Errorf("library %q: %w", source.Name, err)
		}
		if v != t.active {
			t.promote(v)
			t.local.Engine.Activate(v, rt)
			t.local.Engine.SettleCompiled(v, compiled)
		}
	}
	if t.active != nil {
		r.keep(t)
	}
	return nil
}

// unclaim undoes claim and furnish for a tenant that no lcore has seen.
func (r *Registry) unclaim(t *tenant) {
	r.mu.Lock()
	delete(r.byName, t.local.Name)
	delete(r.usedIDs, t.local.ID) // nobody has seen it
	r.loads[t.local.Home].tenants--
	r.loads[t.local.Home].quota -= t.quota
	r.mu.Unlock()
	r.retire(t)
}

// postDirectory gives every lcore the directory as it is now. r.mu is held, so
// that no lcore gets an older one after a newer.
func (r *Registry) postDirectory() {
	for lcore := range r.cfg.Lcores {
		r.cfg.Post(lcore, Event{Kind: EventDirectory, Directory: r.directory})
	}
}

// Settle returns when every lcore has handled all that the calls before it posted:
// a tenant that was created is then served on every port, a version that was
// activated by every call. The lcores must be running.
func (r *Registry) Settle(ctx context.Context) error {
	handled := make([]chan struct{}, r.cfg.Lcores)
	r.mu.Lock()
	for lcore := range handled {
		handled[lcore] = make(chan struct{})
		r.cfg.Post(lcore, Event{Kind: EventDirectory, Directory: r.directory, done: handled[lcore]})
	}
	r.mu.Unlock()
	for lcore, done := range handled {
		select {
		case <-done:
		case <-ctx.Done():
			return fmt.Errorf("lcore %d does not answer: %w", lcore, ctx.Err())
		}
	}
	return nil
}

// Delete removes a tenant: its home lcore ends its calls and lets go of it, then
// its memory is unmapped. If ctx ends first, the deletion goes on by itself.
func (r *Registry) Delete(ctx context.Context, name string) error {
	r.mu.Lock()
	t := r.byName[name]
	if t == nil || r.byID[t.local.ID] != t {
		r.mu.Unlock()
		return fmt.Errorf("tenant %q: %w", name, ErrNoTenant)
	}
	gone := r.detach(t)
	r.mu.Unlock()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("tenant %q: lcore %d has not let go of it yet, its memory is returned when it has: %w", name, t.local.Home, ctx.Err())
	}
}

// detach takes a tenant out of the directory and away from its lcore. The name is
// free once the channel that it returns is closed. r.mu is held.
func (r *Registry) detach(t *tenant) <-chan struct{} {
	delete(r.byID, t.local.ID)
	r.directory = r.directory.without(t.local.entry())
	r.postDirectory()
	acked, gone := make(chan struct{}), make(chan struct{})
	r.cfg.Post(t.local.Home, Event{Kind: EventRemove, Local: t.local, done: acked})
	go func() {
		<-acked
		r.retire(t)
		r.mu.Lock()
		delete(r.byName, t.local.Name)
		r.loads[t.local.Home].tenants--
		r.loads[t.local.Home].quota -= t.quota
		for i, n := range t.local.Counters {
			r.past[i] += n
		}
		r.mu.Unlock()
		r.Stats.Deleted.Add(1)
		close(gone)
	}()
	return gone
}

// retire unmaps a tenant that no lcore holds, after the control threads that may
// still be making a runtime for it.
func (r *Registry) retire(t *tenant) {
	defer r.ending.Done()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.removed = true
	r.runtimes.drop(t)
	if t.local.Shard == nil {
		return
	}
	if err := t.local.Shard.Close(); err != nil {
		r.cfg.Logger.Error().Err(err).Str("tenant", t.local.Name).Msg("unmap")
	}
}

// Close removes every tenant and stops the registry's goroutines. Call it when
// the lcores have ended. It returns early, with an error, when ctx ends.
func (r *Registry) Close(ctx context.Context) error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		for _, t := range r.byID {
			r.detach(t)
		}
	}
	r.mu.Unlock()
	done := make(chan struct{})
	go func() {
		r.pool.stop()
		r.ending.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("tenants: not every tenant could be removed: %w", ctx.Err())
	}
}

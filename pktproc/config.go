package pktproc

import (
	"errors"
	"fmt"

	"shredder/dataplane/nic"
	"shredder/tenants"
)

// Limits bound what an lcore keeps for its clients. Zero fields take the
// value of DefaultLimits.
type Limits struct {
	// Sessions is how many are open at once, SessionsPerTenant how many of one
	// tenant. Each takes 321 bytes, touched when first used.
	Sessions, SessionsPerTenant int
	// SessionIdleSeconds ends a quiet session. SessionMinIdleSeconds is how long
	// one must have been quiet to be evicted for a new one when all are taken;
	// until then HELLO2 answers UNAVAILABLE.
	SessionIdleSeconds, SessionMinIdleSeconds uint32

	// RecordBytes bounds the slabs of recorded replies, RecordsPerTenant one
	// tenant's bytes there. A reply without room is not recorded: its
	// duplicates are STALE.
	RecordBytes      uint64
	RecordsPerTenant int

	// Results is how many replies too large for a datagram are kept at once;
	// ResultsPerTenant how many of one tenant, ResultBytesPerTenant the size of
	// their buffers; ResultMillis their age.
	Results, ResultsPerTenant int
	ResultBytesPerTenant      int
	ResultMillis              int64

	// Pushes are open at once, of one tenant, of one session; PushMillis ends
	// one that gets no segment.
	Pushes, PushesPerTenant, PushesPerSession int
	PushMillis                                int64

	// Tasks is how many requests wait or are suspended at once. Coroutines is
	// how many calls are suspended at once; more wait for one to end.
	Tasks, Coroutines int
	// TurnSlices is how many slices of fuel calls may burn straight in one
	// burst; further calls of the burst wait their turn.
	TurnSlices int

	// Hello1PerSecond and Hello1Burst limit HELLO1s of one source address,
	// FailedHello2PerSecond and FailedHello2Burst the HELLO2s with a valid
	// cookie and a wrong proof. Both tables are bounded.
	Hello1PerSecond, Hello1Burst             uint32
	FailedHello2PerSecond, FailedHello2Burst uint32
	// CookieSeconds is how long an epoch of cookies lasts; a cookie is good in
	// its own and the next.
	CookieSeconds uint32
}

// DefaultLimits are for a server of some thousands of tenants.
func DefaultLimits() Limits {
	return Limits{
		Sessions: 64 << 10, SessionsPerTenant: 16 << 10,
		SessionIdleSeconds: 600, SessionMinIdleSeconds: 10,
		RecordBytes: 256 << 20, RecordsPerTenant: 16 << 20,
		Results: 4096, ResultsPerTenant: 512, ResultBytesPerTenant: 32 << 20, ResultMillis: 30_000,
		Pushes: 4096, PushesPerTenant: 64, PushesPerSession: 16, PushMillis: 30_000,
		Tasks: 16 << 10, Coroutines: 1024, TurnSlices: 4,
		Hello1PerSecond: 1000, Hello1Burst: 5000,
		FailedHello2PerSecond: 5, FailedHello2Burst: 50,
		CookieSeconds: 60,
	}
}

func fill[T int | int64 | uint32 | uint64](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

func (l *Limits) defaults() {
	d := DefaultLimits()
	fill(&l.Sessions, d.Sessions)
	fill(&l.SessionsPerTenant, d.SessionsPerTenant)
	fill(&l.SessionIdleSeconds, d.SessionIdleSeconds)
	fill(&l.SessionMinIdleSeconds, d.SessionMinIdleSeconds)
	fill(&l.RecordBytes, d.RecordBytes)
	fill(&l.RecordsPerTenant, d.RecordsPerTenant)
	fill(&l.Results, d.Results)
	fill(&l.ResultsPerTenant, d.ResultsPerTenant)
	fill(&l.ResultBytesPerTenant, d.ResultBytesPerTenant)
	fill(&l.ResultMillis, d.ResultMillis)
	fill(&l.Pushes, d.Pushes)
	fill(&l.PushesPerTenant, d.PushesPerTenant)
	fill(&l.PushesPerSession, d.PushesPerSession)
	fill(&l.PushMillis, d.PushMillis)
	fill(&l.Tasks, d.Tasks)
	fill(&l.Coroutines, d.Coroutines)
	fill(&l.TurnSlices, d.TurnSlices)
	fill(&l.Hello1PerSecond, d.Hello1PerSecond)
	fill(&l.Hello1Burst, d.Hello1Burst)
	fill(&l.FailedHello2PerSecond, d.FailedHello2PerSecond)
	fill(&l.FailedHello2Burst, d.FailedHello2Burst)
	fill(&l.CookieSeconds, d.CookieSeconds)
}

// Jobs takes work for control threads. The registry is one.
type Jobs interface {
	// Submit never blocks; false: too many wait.
	Submit(*tenants.Job) bool
}

// Config is what a Processor is made of.
type Config struct {
	// Lcore is this one's number, Lcores how many there are (at most MaxLcores).
	Lcore, Lcores int
	// BasePort is the UDP port of lcore 0; lcore i's is BasePort + i. Requests to
	// any of them are taken on every lcore.
	BasePort  uint16
	Addresses Addresses
	// Queue lends frames for replies that have no received frame to live in.
	Queue nic.Queue
	// Registry takes jobs; nil: functions are unavailable.
	Registry Jobs
	// ServerKey makes cookies and session secrets. All lcores share it.
	ServerKey [32]byte
	// Forward copies a frame to another lcore's ring; false: it is full. nil:
	// there is no other lcore.
	Forward func(lcore int, frame []byte) bool
	Limits  Limits
	// AlwaysChecksum writes UDP checksums over IPv4 even to clients that send none.
	AlwaysChecksum bool
}

func (c *Config) check() error {
	if c.Lcores < 1 || c.Lcores > MaxLcores || c.Lcore < 0 || c.Lcore >= c.Lcores {
		return fmt.Errorf("pktproc: lcore %d of %d: there are 1 to %d", c.Lcore, c.Lcores, MaxLcores)
	}
	if int(c.BasePort) == 0 || int(c.BasePort)+c.Lcores > 1<<16 {
		return fmt.Errorf("pktproc: base port %d: %d lcores need ports from 1 to 65535", c.BasePort, c.Lcores)
	}
	if c.Queue == nil {
		return errors.New("pktproc: no queue")
	}
	for _, p := range c.Addresses.IPv4 {
		if !p.IsValid() || !p.Addr().Is4() {
			return fmt.Errorf("pktproc: %v is no IPv4 address with its network's length", p)
		}
	}
	for _, p := range c.Addresses.IPv6 {
		if !p.IsValid() || !p.Addr().Is6() || p.Addr().Is4In6() {
			return fmt.Errorf("pktproc: %v is no IPv6 address with its network's length", p)
		}
	}
	c.Limits.defaults()
	if c.Limits.Sessions > MaxSessions {
		return fmt.Errorf("pktproc: %d sessions an lcore: at most %d", c.Limits.Sessions, MaxSessions)
	}
	return nil
}

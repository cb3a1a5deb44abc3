package tenants

import (
	"errors"
	"fmt"
	"net/netip"

	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/store/arena"
)

// Defaults and bounds of a tenant's specification.
const (
	// DefaultQuota is the arena quota of a tenant that names none, in bytes.
	DefaultQuota = 64 << 20
	// MaxTokenLen is the longest token in bytes.
	MaxTokenLen = 256
	// FirstAssignedID is where ids start that the registry chooses. Ids below it
	// are left to those who choose their own, so that neither gets in the other's way.
	FirstAssignedID = 1 << 16
)

// Source is one library to deploy.
type Source struct {
	Name string
	Text []byte
}

// Spec says what a tenant is to be.
type Spec struct {
	Name string
	// ID is the tenant's number on the wire; 0 assigns one. No id is used twice
	// while the process lives.
	ID uint32
	// Quota is the arena's size in bytes; 0 means DefaultQuota.
	Quota uint64
	// DataToken and DeployToken are the secrets of the two roles. Without one the
	// role is closed, which is an error unless NoToken opens the data to everybody,
	// or NoDeployToken deploying to everybody who may use the data.
	DataToken, DeployToken []byte
	NoToken, NoDeployToken bool
	// TrustedSources may send requests without a session. Only with NoToken.
	TrustedSources []netip.Prefix
	Trust          Trust
	// Limits are the functions' limits; the zero value means jit.DefaultLimits.
	Limits jit.Limits
	// Home is the home lcore, or −1 for the one with the least load.
	Home int
	// Graph is an edge list that is stored before the libraries are deployed, a line
	// "a b" an edge: at key a the b's of its lines. nil means none.
	Graph []byte
	// Libraries are deployed in order before the tenant serves; the last is active.
	Libraries []Source
}

// Check returns everything that is wrong with the specification by itself.
func (s Spec) Check() error { return s.check(1 << 16) }

// check fills in the defaults and returns everything that is wrong.
func (s *Spec) check(lcores int) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !validName(s.Name) {
		bad("name %q: want 1 to %d letters, digits, '.', '_' or '-', the first a letter or digit", s.Name, MaxNameLen)
	}
	if s.Quota == 0 {
		s.Quota = DefaultQuota
	}
	if s.Quota < arena.MinQuota || s.Quota > arena.MaxQuota {
		bad("quota of %d bytes: want %d to %d", s.Quota, arena.MinQuota, uint64(arena.MaxQuota))
	}
	if s.Home < -1 || s.Home >= lcores {
		bad("home lcore %d: there are lcores 0 to %d", s.Home, lcores-1)
	}
	switch {
	case len(s.DataToken) == 0 && !s.NoToken:
		bad("no data token: give one, or say no-token: true to let everybody in")
	case len(s.DataToken) != 0 && s.NoToken:
		bad("a data token and no-token: choose one")
	case len(s.DataToken) != 0 && len(s.TrustedSources) != 0:
		bad("trusted-sources are for tenants without a data token")
	}
	switch {
	case len(s.DeployToken) == 0 && !s.NoDeployToken:
		bad("no deploy token: give one, or say no-deploy-token: true to let those deploy who may use the data")
	case len(s.DeployToken) != 0 && s.NoDeployToken:
		bad("a deploy token and no-deploy-token: choose one")
	}
	if len(s.DataToken) > MaxTokenLen || len(s.DeployToken) > MaxTokenLen {
		bad("a token is longer than %d bytes", MaxTokenLen)
	}
	if s.Limits == (jit.Limits{}) {
		s.Limits = jit.DefaultLimits()
	}
	if err := checkLimits(&s.Limits); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkLimits refuses limits that would close the tenant's functions or starve its neighbours.
func checkLimits(l *jit.Limits) error {
	var errs []error
	atLeast := func(name string, value, least int64) {
		if value < least {
			errs = append(errs, fmt.Errorf("limit %s is %d: want at least %d", name, value, least))
		}
	}
	atLeast("fuel", l.Fuel, 1)
	atLeast("slice", l.Slice, 1)
	atLeast("deadline", l.DeadlineMillis, 1)
	atLeast("depth", int64(l.Depth), 1)
	atLeast("scratch", l.Scratch, 1)
	atLeast("result-size", int64(l.ResultSize), 16)
	atLeast("log-size", int64(l.LogSize), 0)
	atLeast("overlay-writes", int64(l.OverlayWrites), 0)
	atLeast("source-size", int64(l.SourceSize), 1)
	atLeast("source-depth", int64(l.SourceDepth), 1)
	atLeast("functions", int64(l.Functions), 1)
	atLeast("load-fuel", l.LoadFuel, 1)
	atLeast("waiting", int64(l.Waiting), 0)
	atLeast("calls-per-second", l.CallsPerSecond, 0)
	atLeast("fuel-per-second", l.FuelPerSecond, 0)
	atMost := func(name string, value, most int64) {
		if value > most {
			errs = append(errs, fmt.Errorf("limit %s is %d: at most %d", name, value, most))
		}
	}
	atMost("slice", l.Slice, jit.FuelPerMilli) // what a neighbour waits
	atMost("deadline", l.DeadlineMillis, 24*60*60*1000)
	atMost("depth", int64(l.Depth), 16<<10)
	atMost("result-size", int64(l.ResultSize), wire.MaxValueSize)
	atMost("log-size", int64(l.LogSize), MaxLogSize)
	atMost("overlay-writes", int64(l.OverlayWrites), int64(jit.DefaultLimits().OverlayWrites))
	atMost("source-size", int64(l.SourceSize), wire.MaxValueSize)
	atMost("source-depth", int64(l.SourceDepth), 4096) // a million levels overflow the parser's stack, which ends the process
	atMost("waiting", int64(l.Waiting), 16<<10)
	atMost("calls-per-second", l.CallsPerSecond, 1e12)
	atMost("fuel-per-second", l.FuelPerSecond, 1e12)
	return errors.Join(errs...)
}

func validName(name string) bool {
	if name == "" || len(name) > MaxNameLen {
		return false
	}
	for i := range len(name) {
		c := name[i]
		alphanumeric := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alphanumeric && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return true
}

package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"shredder/dataplane"
	"shredder/pktproc"
)

// check returns everything that is wrong with the values.
func (c *Config) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	oneOf := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			bad("%s: %q is none of %q", key, value, allowed)
		}
	}
	oneOf("driver", c.Driver, "udp", "dpdk")
	oneOf("log.format", c.Log.Format, "auto", "console", "json")
	if _, err := zerolog.ParseLevel(c.Log.Level); err != nil || c.Log.Level == "" {
		bad("log.level: %q is none of debug, info, warn, error", c.Log.Level)
	}
	if _, err := dataplane.ParseStrategy(c.Idle); err != nil {
		bad("idle: %w", err)
	}
	if len(c.Lcores) == 0 {
		bad("lcores: at least one is needed (-1 for one that is not pinned)")
	}
	for i, cpu := range c.Lcores {
		if cpu < -1 || cpu >= 0 && slices.Contains(c.Lcores[:i], cpu) {
			bad("lcores: CPU %d: want different CPU numbers, or -1 for not pinned", cpu)
		}
	}
	if c.BasePort == 0 && (c.Driver != "udp" || len(c.Lcores) != 1) {
		bad("base-port: 0 is for the udp driver with one lcore")
	}
	if int(c.BasePort)+len(c.Lcores) > 1<<16 {
		bad("base-port: %d leaves no ports for %d lcores", c.BasePort, len(c.Lcores))
	}
	errs = append(errs, c.checkDriver(), c.checkAdmin())
	if _, _, err := net.SplitHostPort(c.Resp); c.Resp != "" && err != nil {
		bad("resp: %w", err)
	}
	if c.RespIdle < 0 {
		bad("resp-idle: %v: want 0s or more", time.Duration(c.RespIdle))
	}
	for key, n := range map[string]int{"runtimes": c.Runtimes, "runtime-makers": c.RuntimeMakers, "versions": c.Versions, "resp-clients": c.RespClients,
		"sessions.max": c.Sessions.Max, "sessions.per-tenant": c.Sessions.PerTenant} {
		if n < 1 {
			bad("%s: %d: want at least 1", key, n)
		}
	}
	if c.Memory < 1<<20 || c.Heap < 16<<20 {
		bad("memory: %v, heap: %v: want at least 1MiB and 16MiB", c.Memory, c.Heap)
	}
	if c.Sessions.Max > pktproc.MaxSessions {
		bad("sessions.max: %d: an lcore has at most %d", c.Sessions.Max, pktproc.MaxSessions)
	}
	if c.Sessions.Idle < Duration(time.Second) {
		bad("sessions.idle: %v: want at least 1s", time.Duration(c.Sessions.Idle))
	}
	if len(c.Lcores) > pktproc.MaxLcores {
		bad("lcores: %d of them: at most %d", len(c.Lcores), pktproc.MaxLcores)
	}
	if c.ShutdownTimeout == 0 {
		bad("shutdown-timeout: want more than 0")
	}
	return errors.Join(append(errs, c.checkTenants())...)
}

func (c *Config) checkDriver() error {
	if c.Driver == "udp" {
		if len(c.Listen) == 0 {
			return errors.New("listen: the udp driver needs at least one address")
		}
		return nil
	}
	var errs []error
	if len(c.Addresses) == 0 {
		errs = append(errs, errors.New(`addresses: the dpdk driver needs at least one, like "10.0.0.1/24"`))
	}
	return errors.Join(errs...)
}

func (c *Config) checkAdmin() error {
	if c.Admin.Address == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Admin.Address)
	if err != nil {
		return fmt.Errorf("admin.address: %w", err)
	}
	if a, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !a.IsLoopback()) {
		return fmt.Errorf("admin.address: %q is no loopback address: the admin server asks for no password", host)
	}
	return nil
}

func (c *Config) checkTenants() error {
	var errs []error
	names, ids := map[string]bool{}, map[uint32]bool{}
	for i, t := range c.Tenants {
		if _, err := t.Spec(); err != nil {
			errs = append(errs, fmt.Errorf("tenants[%d]: %w", i, err))
		}
		if names[t.Name] {
			errs = append(errs, fmt.Errorf("tenants[%d]: the name %q is taken", i, t.Name))
		}
		if t.ID != 0 && ids[t.ID] {
			errs = append(errs, fmt.Errorf("tenants[%d]: the id %d is taken", i, t.ID))
		}
		if t.Home != nil && *t.Home >= len(c.Lcores) {
			errs = append(errs, fmt.Errorf("tenants[%d]: home lcore %d: there are %d", i, *t.Home, len(c.Lcores)))
		}
		names[t.Name], ids[t.ID] = true, true
	}
	return errors.Join(errs...)
}

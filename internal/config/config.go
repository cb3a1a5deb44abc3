// Package config owns the daemon's configuration: its keys with their defaults,
// and one precedence: file < environment < flags. It is called on the main
// goroutine before anything runs, and by the admin API for one tenant's part.
package config

import (
	"net"
	"net/netip"
	"time"

	"shredder/tenants"
)

// Config is the whole configuration. The yaml tag is the key, help its line in
// --help and in docs/operations.md.
type Config struct {
	Driver   string       `yaml:"driver" help:"udp (kernel sockets) or dpdk"`
	Listen   []netip.Addr `yaml:"listen" help:"udp: addresses to listen on"`
	BasePort uint16       `yaml:"base-port" help:"UDP port of lcore 0; lcore i listens on base-port + i (udp with one lcore: 0 lets the kernel choose)"`
	Lcores   []int        `yaml:"lcores" help:"one CPU number per lcore, -1 for not pinned"`
	Idle     string       `yaml:"idle" help:"what an idle lcore does: poll or adaptive"`

	EAL       []string       `yaml:"eal" help:"dpdk: arguments of the EAL"`
	Port      Port           `yaml:"port"`
	Addresses []netip.Prefix `yaml:"addresses" help:"dpdk: the port's IPv4 and IPv6 addresses with the lengths of their networks"`

	Memory        Size     `yaml:"memory" help:"memory budget of all tenants together (default: half of the machine's)"`
	Heap          Size     `yaml:"heap" help:"limit on the Go heap; the collector runs only when it is near"`
	Runtimes      int      `yaml:"runtimes" help:"tenants that keep a function runtime at once"`
	RuntimeMakers int      `yaml:"runtime-makers" help:"control threads that make runtimes"`
	Versions      int      `yaml:"versions" help:"versions of its library that a tenant keeps"`
	Sessions      Sessions `yaml:"sessions"`

	Resp            string   `yaml:"resp" help:"host:port of the Redis-protocol front door; empty: none (127.0.0.1:6380 in development mode)"`
	RespClients     int      `yaml:"resp-clients" help:"connections of the front door that may be open at once"`
	RespIdle        Duration `yaml:"resp-idle" help:"a front-door connection that is quiet this long ends; 0s: never"`
	AlwaysChecksum  bool     `yaml:"always-checksum" help:"write UDP checksums over IPv4 even to clients that send none"`
	Admin           Admin    `yaml:"admin"`
	Log             Log      `yaml:"log"`
	ShutdownTimeout Duration `yaml:"shutdown-timeout" help:"longest time a clean shutdown may take"`
	Dev             bool     `yaml:"dev" help:"development mode: kernel UDP on loopback, a trusted tenant dev without a token, demo functions"`
	Tenants         []Tenant `yaml:"tenants"`
}

// Port is the DPDK port.
type Port struct {
	Name            string `yaml:"name" help:"dpdk: device name; empty: the first port the EAL found"`
	MAC             MAC    `yaml:"mac" help:"dpdk: hardware address that the server bears; empty: the device's (a tap interface needs another: the kernel has that one)"`
	RxRing          int    `yaml:"rx-ring" help:"dpdk: receive descriptors a queue; 0: what the driver recommends"`
	TxRing          int    `yaml:"tx-ring" help:"dpdk: transmit descriptors a queue; 0: what the driver recommends"`
	Mempool         int    `yaml:"mempool" help:"dpdk: mbufs in the pool; 0: enough for all rings"`
	MTU             int    `yaml:"mtu" help:"dpdk: largest IP packet; 0: the device's own"`
	Promiscuous     bool   `yaml:"promiscuous" help:"dpdk: receive frames for any address"`
	ChecksumOffload bool   `yaml:"checksum-offload" help:"dpdk: let the device write checksums (leaves the vector path of some drivers)"`
	FlowRules       bool   `yaml:"flow-rules" help:"dpdk: ask for rules that bring each UDP port to its queue"`
}

// Sessions bounds the sessions of one lcore.
type Sessions struct {
	Max       int      `yaml:"max" help:"sessions open at once on an lcore"`
	PerTenant int      `yaml:"per-tenant" help:"sessions open at once for one tenant"`
	Idle      Duration `yaml:"idle" help:"a session that is quiet this long ends"`
}

// Admin is the admin API.
type Admin struct {
	Address string `yaml:"address" help:"loopback address of the admin HTTP server; empty: none"`
	Socket  string `yaml:"socket" help:"path of the admin Unix socket, which alone may change tenants; empty: none"`
}

// Log is the daemon's own log.
type Log struct {
	Level  string `yaml:"level" help:"debug, info, warn or error"`
	Format string `yaml:"format" help:"auto (console on a terminal, else json), console or json"`
}

// Tenant is one tenant. The admin API reads the same keys as JSON.
type Tenant struct {
	Name            string         `yaml:"name" json:"name"`
	ID              uint32         `yaml:"id,omitempty" json:"id"`
	Quota           Size           `yaml:"quota" json:"quota"`
	Token           Secret         `yaml:"token,omitempty" json:"token"`
	TokenFile       string         `yaml:"token-file,omitempty" json:"token-file"`
	NoToken         bool           `yaml:"no-token,omitempty" json:"no-token"`
	DeployToken     Secret         `yaml:"deploy-token,omitempty" json:"deploy-token"`
	DeployTokenFile string         `yaml:"deploy-token-file,omitempty" json:"deploy-token-file"`
	NoDeployToken   bool           `yaml:"no-deploy-token,omitempty" json:"no-deploy-token"`
	TrustedSources  []netip.Prefix `yaml:"trusted-sources,omitempty" json:"trusted-sources"`
	Trust           string         `yaml:"trust" json:"trust"`
	Development     bool           `yaml:"development,omitempty" json:"development"`
	Home            *int           `yaml:"home,omitempty" json:"home"`
	Library         string         `yaml:"library,omitempty" json:"library"`
	Graph           string         `yaml:"graph,omitempty" json:"graph"`
	Limits          Limits         `yaml:"limits,omitempty" json:"limits"`
}

// Limits are a tenant's limits; those that are absent have their defaults.
type Limits struct {
	Fuel           *Fuel     `yaml:"fuel,omitempty" json:"fuel"`
	Slice          *Fuel     `yaml:"slice,omitempty" json:"slice"`
	Deadline       *Duration `yaml:"deadline,omitempty" json:"deadline"`
	Depth          *int      `yaml:"depth,omitempty" json:"depth"`
	Scratch        *Size     `yaml:"scratch,omitempty" json:"scratch"`
	ResultSize     *Size     `yaml:"result-size,omitempty" json:"result-size"`
	LogSize        *Size     `yaml:"log-size,omitempty" json:"log-size"`
	OverlayWrites  *int      `yaml:"overlay-writes,omitempty" json:"overlay-writes"`
	OverlayBytes   *Size     `yaml:"overlay-bytes,omitempty" json:"overlay-bytes"`
	SourceSize     *Size     `yaml:"source-size,omitempty" json:"source-size"`
	SourceDepth    *int      `yaml:"source-depth,omitempty" json:"source-depth"`
	Functions      *int      `yaml:"functions,omitempty" json:"functions"`
	LoadFuel       *Fuel     `yaml:"load-fuel,omitempty" json:"load-fuel"`
	Waiting        *int      `yaml:"waiting,omitempty" json:"waiting"`
	CallsPerSecond *int64    `yaml:"calls-per-second,omitempty" json:"calls-per-second"`
	FuelPerSecond  *Fuel     `yaml:"fuel-per-second,omitempty" json:"fuel-per-second"`
}

// Default is the configuration without any setting.
func Default() Config {
	return Config{
		Driver: "udp", BasePort: 9000, Lcores: []int{-1}, Idle: "poll",
		Listen: loopback(),
		Port:   Port{FlowRules: true},
		Memory: defaultMemory(), Heap: 1 << 30,
		Runtimes: tenants.DefaultRuntimes, RuntimeMakers: 1, Versions: tenants.DefaultVersions,
		Sessions:        Sessions{Max: 64 << 10, PerTenant: 16 << 10, Idle: Duration(10 * time.Minute)},
		RespClients:     10_000,
		Admin:           Admin{Address: "127.0.0.1:9100"},
		Log:             Log{Level: "info", Format: "auto"},
		ShutdownTimeout: Duration(5 * time.Second),
	}
}

// loopback is 127.0.0.1 and, where the machine has IPv6, ::1: many containers
// have none, and a socket cannot be bound to it then.
func loopback() []netip.Addr {
	listen := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	addrs, _ := net.InterfaceAddrs() // none known: IPv4 will say what is wrong
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(net.IPv6loopback) {
			return append(listen, netip.IPv6Loopback())
		}
	}
	return listen
}

// development changes the defaults that --dev stands for. Files, environment and
// flags still override them.
func (c *Config) development() {
	c.Idle = "adaptive"
	c.Resp = "127.0.0.1:6380"
}

// DevTenant is the name of the tenant that --dev makes, and its id is 1.
const DevTenant = "dev"

// addDevTenant adds the tenant of development mode, unless one of its name is configured.
func (c *Config) addDevTenant() {
	for _, t := range c.Tenants {
		if t.Name == DevTenant {
			return
		}
	}
	c.Tenants = append(c.Tenants, Tenant{
		Name: DevTenant, ID: 1, Quota: min(1<<30, c.Memory), NoToken: true, NoDeployToken: true, Trust: "trusted", Development: true,
		TrustedSources: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
	})
}

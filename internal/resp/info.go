package resp

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"shredder/internal/resp/proto"
	"shredder/tenants"
)

// redisVersion is the release whose behaviour clients find here.
const redisVersion = "7.0.15"

func newRunID() string {
	var b [20]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// infoSections are the sections of INFO in order; those marked are left out unless asked for.
var infoSections = []struct {
	name  string
	write func(c *conn, b *strings.Builder)
}{
	{"server", (*conn).infoServer},
	{"clients", (*conn).infoClients},
	{"memory", (*conn).infoMemory},
	{"persistence", (*conn).infoPersistence},
	{"stats", (*conn).infoStats},
	{"replication", func(_ *conn, b *strings.Builder) {
		b.WriteString("role:master\r\nconnected_slaves:0\r\nmaster_replid:0000000000000000000000000000000000000000\r\nmaster_repl_offset:0\r\n")
	}},
	{"cpu", (*conn).infoCPU},
	{"modules", func(*conn, *strings.Builder) {}},
	{"commandstats", (*conn).infoCommandStats},
	{"errorstats", func(*conn, *strings.Builder) {}},
	{"cluster", func(_ *conn, b *strings.Builder) { b.WriteString("cluster_enabled:0\r\n") }},
	{"keyspace", (*conn).infoKeyspace},
	{"shredder", (*conn).infoShredder},
}

// infoCommand executes INFO [section…].
func (c *conn) infoCommand(args [][]byte) {
	var b strings.Builder
	for _, s := range infoSections {
		if !infoWanted(args[1:], s.name) {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\r\n")
		}
		b.WriteString("# " + strings.ToUpper(s.name[:1]) + s.name[1:] + "\r\n")
		s.write(c, &b)
	}
	c.w.Verbatim("txt", b.String())
}

func infoWanted(asked [][]byte, name string) bool {
	extra := name == "commandstats"
	if len(asked) == 0 {
		return !extra
	}
	for _, a := range asked {
		if is(a, strings.ToUpper(name)) || is(a, "ALL") || is(a, "EVERYTHING") || is(a, "DEFAULT") && !extra {
			return true
		}
	}
	return false
}

func (c *conn) infoServer(b *strings.Builder) {
	up := int64(time.Since(c.s.started).Seconds())
	_, port, _ := strings.Cut(c.nc.LocalAddr().String(), ":")
	if i := strings.LastIndexByte(port, ':'); i >= 0 {
		port = port[i+1:]
	}
	fmt.Fprintf(b, "redis_version:%s\r\nredis_git_sha1:00000000\r\nredis_git_dirty:0\r\nredis_mode:standalone\r\nos:%s\r\narch_bits:64\r\n"+
		"process_id:%d\r\nrun_id:%s\r\ntcp_port:%s\r\nserver_time_usec:%d\r\nuptime_in_seconds:%d\r\nuptime_in_days:%d\r\n",
		redisVersion, runtime.GOOS, os.Getpid(), c.s.runID, port, time.Now().UnixMicro(), up, up/86400)
}

func (c *conn) infoClients(b *strings.Builder) {
	fmt.Fprintf(b, "connected_clients:%d\r\nmaxclients:%d\r\nblocked_clients:0\r\ntracking_clients:0\r\n", len(c.siblings()), c.s.cfg.MaxClients)
}

func (c *conn) infoMemory(b *strings.Builder) {
	m := c.local.PublishedMemory()
	fmt.Fprintf(b, "used_memory:%d\r\nused_memory_dataset:%d\r\nmaxmemory:%d\r\nmaxmemory_policy:noeviction\r\nmem_allocator:shredder\r\n",
		m.Used, m.Stored, c.local.Quota)
}

func (c *conn) infoPersistence(b *strings.Builder) {
	b.WriteString("loading:0\r\nasync_loading:0\r\nrdb_changes_since_last_save:0\r\nrdb_bgsave_in_progress:0\r\nrdb_last_save_time:0\r\n" +
		"rdb_last_bgsave_status:ok\r\naof_enabled:0\r\naof_rewrite_in_progress:0\r\naof_last_write_status:ok\r\n")
}

func (c *conn) infoStats(b *strings.Builder) {
	n := c.local.Published()
	fmt.Fprintf(b, "total_connections_received:%d\r\ntotal_commands_processed:%d\r\nrejected_connections:%d\r\nkeyspace_misses:%d\r\n"+
		"tenant_requests:%d\r\ntenant_operations:%d\r\n", c.s.accepted.Load(), c.s.commands.Load(), c.s.refused.Load(),
		n[tenants.CounterMisses], n[tenants.CounterRequests], n[tenants.CounterOperations])
}

func (c *conn) infoCommandStats(b *strings.Builder) {
	for _, s := range c.space.counts() {
		fmt.Fprintf(b, "cmdstat_%s:calls=%d\r\n", s.name, s.calls)
	}
}

func (c *conn) infoKeyspace(b *strings.Builder) {
	if m := c.local.PublishedMemory(); m.Keys > 0 {
		fmt.Fprintf(b, "db0:keys=%d,expires=0,avg_ttl=0\r\n", m.Keys)
	}
}

// infoShredder is what Redis has no words for.
func (c *conn) infoShredder(b *strings.Builder) {
	fmt.Fprintf(b, "tenant:%s\r\nhome_lcore:%d\r\ntrust:%s\r\n", c.local.Name, c.local.Home, c.local.Trust)
	for i, n := range c.local.Published() {
		fmt.Fprintf(b, "%s:%d\r\n", tenants.Counter(i), n)
	}
}

// config executes CONFIG: what a client asks for can be read, nothing is set here.
func (c *conn) config(args [][]byte) {
	switch {
	case is(args[1], "GET"):
		if c.wants(args, 3, -1) {
			c.configGet(args[2:])
		}
	case is(args[1], "SET"):
		if c.wants(args, 4, -1) {
			c.w.Error("ERR CONFIG SET failed (possibly related to argument '" + oneLine(args[2]) + "') - can't set immutable config")
		}
	case is(args[1], "RESETSTAT"):
		if c.wants(args, 2, 2) {
			c.space.forgetCounts()
			c.w.Simple("OK")
		}
	case is(args[1], "REWRITE"):
		c.w.Error("ERR The server is running without a config file")
	default:
		c.unknownSub(args)
	}
}

func (c *conn) configGet(patterns [][]byte) {
	values := [][2]string{
		{"save", ""}, {"appendonly", "no"}, {"appendfsync", "no"}, {"databases", "1"},
		{"maxmemory", strconv.FormatUint(c.local.Quota, 10)}, {"maxmemory-policy", "noeviction"},
		{"maxclients", strconv.Itoa(c.s.cfg.MaxClients)}, {"timeout", strconv.Itoa(int(c.s.cfg.IdleTimeout.Seconds()))},
		{"proto-max-bulk-len", strconv.Itoa(proto.MaxBulk)}, {"slowlog-log-slower-than", strconv.Itoa(slowlogNanos / 1000)},
		{"slowlog-max-len", strconv.Itoa(slowlogMax)}, {"latency-tracking", "yes"}, {"cluster-enabled", "no"},
	}
	var found [][2]string
	for _, v := range values {
		for _, p := range patterns {
			if ok, err := path.Match(strings.ToLower(string(p)), v[0]); err == nil && ok {
				found = append(found, v)
				break
			}
		}
	}
	c.w.Map(len(found))
	for _, v := range found {
		c.w.BulkString(v[0])
		c.w.BulkString(v[1])
	}
}

func (c *conn) infoCPU(b *strings.Builder) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return
	}
	fmt.Fprintf(b, "used_cpu_sys:%d.%06d\r\nused_cpu_user:%d.%06d\r\n", u.Stime.Sec, u.Stime.Usec, u.Utime.Sec, u.Utime.Usec)
}

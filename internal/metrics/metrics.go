// Package metrics gives Prometheus what lcores, ports and tenants have counted.
// A scrape copies published counters on a control thread; the lcores do nothing
// for it. Tenants are summed up: ten thousand of them must not become ten
// thousand series.
package metrics

import (
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"shredder/dataplane"
	"shredder/dpdk"
	"shredder/internal/resp"
	"shredder/pktproc"
	"shredder/store/arena"
	"shredder/tenants"
)

// Sources is what is counted. Plane, Port and Resp may be nil.
type Sources struct {
	Plane    *dataplane.Plane
	Port     *dpdk.Port
	Registry *tenants.Registry
	Budget   *arena.Budget
	Resp     *resp.Server
}

// Handler serves the metrics.
func Handler(s Sources) http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(&collector{Sources: s}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{})
}

// collector makes all of its metrics anew at each scrape, so it describes none.
type collector struct {
	Sources
	mu sync.Mutex // a port's statistics are for one caller at a time
}

// Describe makes the collector an unchecked one: xstats are named by the device.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Plane != nil {
		for i := range c.Plane.Lcores() {
			lcore(ch, c.Plane.Stats(i), c.Plane.Processor(i).Counters(), strconv.Itoa(i))
		}
	}
	if c.Port != nil {
		port(ch, c.Port)
	}
	if c.Resp != nil {
		frontDoor(ch, c.Resp.Stats())
	}
	c.tenants(ch)
}

func frontDoor(ch chan<- prometheus.Metric, s resp.Stats) {
	send(ch, prometheus.GaugeValue, "resp_connections", "Redis clients connected.", float64(s.Open))
	send(ch, prometheus.CounterValue, "resp_connections_total", "Redis clients that connected.", float64(s.Accepted))
	send(ch, prometheus.CounterValue, "resp_refused_total", "Redis clients refused because too many were connected.", float64(s.Refused))
	send(ch, prometheus.CounterValue, "resp_commands_total", "Commands of Redis clients.", float64(s.Commands))
}

// send adds one sample. labels are names and values in turn.
func send(ch chan<- prometheus.Metric, kind prometheus.ValueType, name, help string, value float64, labels ...string) {
	var names, values []string
	for i := 0; i < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	m, err := prometheus.NewConstMetric(prometheus.NewDesc("shredder_"+name, help, names, nil), kind, value, values...)
	if err != nil {
		m = prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
	}
	ch <- m
}

// gauges are the lcore's counters that go down as well.
var gauges = map[string]bool{"sessions": true, "tasks": true, "coroutines": true, "pushes": true,
	"kept_results": true, "kept_bytes": true, "record_bytes": true}

// kinds are the counters that are counted by kind, by the prefix of their names.
var kinds = []struct{ prefix, name, label, help string }{
	{"drop_", "dropped_frames_total", "reason", "Frames dropped without an answer."},
	{"op_", "operations_total", "operation", "Operations executed."},
	{"status_", "replies_by_status_total", "status", "Replies by the status of their datagram."},
}

func lcore(ch chan<- prometheus.Metric, s dataplane.CoreStats, c *pktproc.Counters, name string) {
	counter := func(name, help string, v uint64, labels ...string) {
		send(ch, prometheus.CounterValue, name, help, float64(v), labels...)
	}
	c.Each(func(what string, value uint64) {
		for _, k := range kinds {
			if kind, ok := strings.CutPrefix(what, k.prefix); ok {
				counter(k.name, k.help, value, "lcore", name, k.label, kind)
				return
			}
		}
		if gauges[what] {
			send(ch, prometheus.GaugeValue, "lcore_"+what, "See docs/operations.md.", float64(value), "lcore", name)
			return
		}
		counter("lcore_"+what+"_total", "See docs/operations.md.", value, "lcore", name)
	})
	counter("lcore_turns_total", "Turns of the poll loop.", s.Turns, "lcore", name)
	counter("lcore_busy_turns_total", "Turns that found something to do.", s.BusyTurns, "lcore", name)
	send(ch, prometheus.CounterValue, "lcore_busy_seconds_total", "Time spent in busy turns.", float64(s.BusyNanos)/1e9, "lcore", name)
	for _, q := range []float64{0.5, 0.99, 0.9999, 1} {
		send(ch, prometheus.GaugeValue, "lcore_poll_gap_seconds", "Time between two polls since the start, by quantile.",
			float64(s.Gaps.Quantile(q))/1e9, "lcore", name, "quantile", strconv.FormatFloat(q, 'g', -1, 64))
	}
	counter("queue_rx_frames_total", "Frames received.", s.Queue.RxFrames, "queue", name)
	counter("queue_rx_bytes_total", "Bytes received.", s.Queue.RxBytes, "queue", name)
	counter("queue_tx_frames_total", "Frames sent.", s.Queue.TxFrames, "queue", name)
	counter("queue_tx_bytes_total", "Bytes sent.", s.Queue.TxBytes, "queue", name)
	counter("queue_tx_dropped_total", "Frames that the device had no room for.", s.Queue.TxDropped, "queue", name)
	counter("queue_no_buffer_total", "Buffers asked for and not there.", s.Queue.NoBuffer, "queue", name)
}

// port gives the device's own statistics by their DPDK names. A device that
// refuses them gives none.
func port(ch chan<- prometheus.Metric, p *dpdk.Port) {
	if s, err := p.Stats(); err == nil {
		for name, v := range map[string]uint64{"ipackets": s.Ipackets, "opackets": s.Opackets, "ibytes": s.Ibytes, "obytes": s.Obytes,
			"imissed": s.Imissed, "ierrors": s.Ierrors, "oerrors": s.Oerrors, "rx_nombuf": s.RxNoMbuf} {
			send(ch, prometheus.CounterValue, "port_"+name+"_total", "struct rte_eth_stats.", float64(v))
		}
	}
	if xs, err := p.XStats(); err == nil {
		// net_vhost repeats the ethdev layer's names with counts of its own; a
		// scrape that has one name twice is refused whole. The first one counts.
		seen := make(map[string]bool, len(xs))
		for _, x := range xs {
			if seen[x.Name] {
				continue
			}
			seen[x.Name] = true
			send(ch, prometheus.CounterValue, "port_xstat_total", "Extended statistics by their DPDK names.", float64(x.Value), "name", x.Name)
		}
	}
	if l, err := p.Link(); err == nil {
		up := 0.0
		if l.Up {
			up = 1
		}
		send(ch, prometheus.GaugeValue, "port_link_up", "1 if the link is up.", up)
	}
	send(ch, prometheus.GaugeValue, "port_mbufs_in_use", "Mbufs taken from the pool.", float64(p.Mempool().InUse()))
	send(ch, prometheus.GaugeValue, "port_mbufs", "Mbufs in the pool.", float64(p.Mempool().Size()))
}

func (c *collector) tenants(ch chan<- prometheus.Metric) {
	sum, memory := c.Registry.Totals()
	for i, v := range sum {
		send(ch, prometheus.CounterValue, "tenants_"+tenants.Counter(i).String()+"_total", "Sum over all tenants.", float64(v))
	}
	send(ch, prometheus.GaugeValue, "tenants", "Tenants.", float64(c.Registry.Len()))
	send(ch, prometheus.GaugeValue, "tenants_keys", "Keys of all tenants.", float64(memory.Keys))
	send(ch, prometheus.GaugeValue, "tenants_stored_bytes", "Keys and values of all tenants.", float64(memory.Stored))
	send(ch, prometheus.GaugeValue, "memory_used_bytes", "Memory taken from the budget.", float64(c.Budget.Used()))
	send(ch, prometheus.GaugeValue, "memory_limit_bytes", "The memory budget.", float64(c.Budget.Limit()))
	send(ch, prometheus.GaugeValue, "runtimes", "Tenants that have a function runtime.", float64(c.Registry.Runtimes()))
	s := &c.Registry.Stats
	for _, x := range []struct {
		name, help string
		value      uint64
	}{
		{"created", "Tenants created.", s.Created.Load()},
		{"deleted", "Tenants deleted.", s.Deleted.Load()},
		{"deployments", "Libraries given to deploy.", s.Deployments.Load()},
		{"bad_libraries", "Libraries that did not load.", s.BadLibraries.Load()},
		{"runtimes_made", "Runtimes made.", s.RuntimesMade.Load()},
		{"runtimes_evicted", "Idle runtimes taken away.", s.RuntimesEvicted.Load()},
		{"compilations", "Compilations that calls asked for.", s.Compilations.Load()},
		{"compilations_refused", "Compilations that found something that is not compiled.", s.CompilationsRefused.Load()},
		{"jobs_refused", "Jobs of lcores that found the queue full.", s.JobsRefused.Load()},
	} {
		send(ch, prometheus.CounterValue, "registry_"+x.name+"_total", x.help, float64(x.value))
	}
}

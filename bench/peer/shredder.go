package peer

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Shredder is a running shredderd.
type Shredder struct {
	*Process
	admin string
}

// Settings is a configuration file, in the daemon's own keys.
type Settings map[string]any

// Tenant is one entry of the tenants key: no tokens, trusted from the
// benchmarks' networks.
func Tenant(name string, id uint32, quota string) map[string]any {
	return map[string]any{
		"name": name, "id": id, "quota": quota, "no-token": true, "no-deploy-token": true,
		"trust": "trusted", "trusted-sources": []string{"10.9.0.0/24", "127.0.0.0/8"},
	}
}

// StartShredder starts binary with settings (JSON is YAML) on an lcore on cpu.
// Its files are in a folder of its own below dir.
func StartShredder(binary, dir string, cpu int, settings Settings) (*Shredder, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	admin := listener.Addr().String()
	listener.Close()
	if dir, err = os.MkdirTemp(dir, "shredderd"); err != nil {
		return nil, err
	}
	settings["lcores"] = []int{cpu}
	settings["idle"] = "poll"
	settings["admin"] = map[string]any{"address": admin}
	settings["log"] = map[string]any{"level": "warn", "format": "json"}
	b, err := json.Marshal(settings)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "shredder.yaml")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return nil, err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return nil, err
	}
	p, err := start("shredderd", -1, dir, binary, "--config", file)
	if err != nil {
		return nil, err
	}
	s := &Shredder{Process: p, admin: admin}
	return s, p.await(func() bool {
		c := http.Client{Timeout: time.Second}
		r, err := c.Get("http://" + admin + "/healthz")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// Metrics returns every sample of the daemon, by "name" or "name{labels}".
func (s *Shredder) Metrics() (map[string]float64, error) {
	c := http.Client{Timeout: 5 * time.Second}
	r, err := c.Get("http://" + s.admin + "/metrics")
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
		return nil, fmt.Errorf("metrics: %s: %s", r.Status, reason)
	}
	samples := make(map[string]float64)
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("metrics: %q: %w", line, err)
		}
		samples[line[:at]] = v
	}
	return samples, lines.Err()
}

// Work is what the serving lcore has done.
type Work struct {
	BusyNanos, Frames, Turns, BusyTurns, TxDropped float64
}

// Work reads the daemon's counters of lcore 0.
func (s *Shredder) Work() (Work, error) {
	m, err := s.Metrics()
	if err != nil {
		return Work{}, err
	}
	return Work{
		BusyNanos: 1e9 * m[`shredder_lcore_busy_seconds_total{lcore="0"}`],
		Frames:    m[`shredder_queue_rx_frames_total{queue="0"}`],
		Turns:     m[`shredder_lcore_turns_total{lcore="0"}`],
		BusyTurns: m[`shredder_lcore_busy_turns_total{lcore="0"}`],
		TxDropped: m[`shredder_queue_tx_dropped_total{queue="0"}`],
	}, nil
}

// WorkNanos is the processor time that the daemon has used without its lcore's idle
// polls: the busy time of lcore 0, whose thread is alone on cpu, and all other threads.
func (s *Shredder) WorkNanos(cpu int) (float64, error) {
	w, err := s.Work()
	if err != nil {
		return 0, err
	}
	others, err := s.otherCPUNanos(cpu)
	return w.BusyNanos + float64(others), err
}

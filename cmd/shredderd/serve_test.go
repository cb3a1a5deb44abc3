package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shredder/client"
)

// daemon is shredderd as a child process.
type daemon struct {
	t      *testing.T
	cmd    *exec.Cmd
	log    *bufio.Scanner
	Port   int    `json:"base_port"`
	Admin  string `json:"admin"`
	Resp   string `json:"resp"`
	socket string
}

// startDaemon starts a development server on ports of the kernel's choice and waits until it serves.
func startDaemon(t *testing.T, args ...string) *daemon {
	t.Helper()
	d := &daemon{t: t, socket: filepath.Join(t.TempDir(), "admin.sock")}
	d.cmd = exec.Command("shredderd", append([]string{"--dev", "--base-port", "0", "--admin-address", "127.0.0.1:0", "--resp", "127.0.0.1:0",
		"--admin-socket", d.socket, "--log-format", "json", "--memory", "256MiB", "--shutdown-timeout", "1m"}, args...)...)
	// Not the settings of whoever runs the tests.
	d.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SHREDDER_") })
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.cmd.ProcessState == nil {
			d.cmd.Process.Kill()
			d.cmd.Wait()
		}
	})
	d.log = bufio.NewScanner(stderr)
	line := d.await("serving")
	if err := json.Unmarshal([]byte(line), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// await reads the daemon's log up to a message.
func (d *daemon) await(message string) string {
	d.t.Helper()
	var seen []string
	for d.log.Scan() {
		seen = append(seen, d.log.Text())
		if strings.Contains(d.log.Text(), `"message":"`+message+`"`) {
			return d.log.Text()
		}
	}
	d.t.Fatalf("the daemon ended before it said %q: %q", message, seen)
	return ""
}

// stop sends a signal and expects a clean end.
func (d *daemon) stop(signal os.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(signal); err != nil {
		d.t.Fatal(err)
	}
	d.await("stopped")
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("the daemon ended with %v", err)
	}
}

func (d *daemon) get(path string) (int, string) {
	d.t.Helper()
	resp, err := http.Get("http://" + d.Admin + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// run runs a subcommand against the daemon and returns what it printed.
func (d *daemon) run(args ...string) (string, error) {
	out, err := exec.Command("shredderd", append(args, "--socket", d.socket)...).CombinedOutput()
	return string(out), err
}

func (d *daemon) dial(host, tenant string, token string) *client.Client {
	d.t.Helper()
	c, err := client.Dial(context.Background(), fmt.Sprintf("%s:%d", host, d.Port), client.Options{Tenant: tenant, Token: []byte(token), Timeout: time.Minute})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { c.Close() })
	return c
}

func TestDevelopment(t *testing.T) {
	d := startDaemon(t)
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ready", "/debug/pprof/": "goroutine",
		"/metrics": "shredder_tenants 1"} {
		if code, body := d.get(path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.200q, want %q", path, code, body, want)
		}
	}
	if code, _ := d.get("/tenants"); code != http.StatusNotFound {
		t.Errorf("/tenants answers %d on the address that everybody may ask", code)
	}
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		served(t, d.dial(host, "dev", ""))
	}
	d.stop(unix.SIGTERM)
	if _, err := os.Stat(d.socket); !os.IsNotExist(err) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// served stores a small graph and has the demo library count in it: 0 → 1, 2; 1 → 0; 2 → 0, 1.
func served(t *testing.T, c *client.Client) {
	t.Helper()
	ctx := context.Background()
	for key, friends := range map[uint64]string{0: "\x01\x00\x00\x00\x02\x00\x00\x00", 1: "\x00\x00\x00\x00", 2: "\x00\x00\x00\x00\x01\x00\x00\x00"} {
		if _, err := c.Set(ctx, client.Int(key), []byte(friends)); err != nil {
			t.Fatal(err)
		}
	}
	for depth, want := range map[int]int64{1: 2, 2: 5, 3: 10} {
		got, err := c.Call(ctx, "countFriends", 0, depth)
		if n, typeErr := got.Int(); err != nil || typeErr != nil || n != want {
			t.Errorf("countFriends(0, %d) = %v, %v: want %d", depth, got, err, want)
		}
	}
}

func TestTenantCommands(t *testing.T) {
	d := startDaemon(t)
	if info, err := os.Stat(d.socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode: %v, %v", info, err)
	}
	if out, err := d.run("tenant", "create", "acme", "--token", "s3cret", "--no-deploy-token", "--quota", "4MiB",
		"--trust", "sandboxed", "--home", "0", "--limit", "fuel=20ms", "--limit", "waiting=3"); err != nil || !strings.Contains(out, "acme has id 65536") {
		t.Errorf("create: %q, %v", out, err)
	}
	for _, c := range []struct {
		args []string
		part string
	}{
		{[]string{"tenant", "create", "acme", "--no-token", "--no-deploy-token"}, "already a tenant"},
		{[]string{"tenant", "create", "other"}, "no data token"},
		{[]string{"tenant", "create", "other", "--no-token", "--no-deploy-token", "--quota", "1GiB"}, "268435456 bytes in all"},
		{[]string{"tenant", "delete", "nobody"}, "no such tenant"},
	} {
		if out, err := d.run(c.args...); err == nil || !strings.Contains(out, c.part) {
			t.Errorf("%q: %q, %v; want %q", c.args, out, err, c.part)
		}
	}
	c := d.dial("127.0.0.1", "acme", "s3cret")
	regexp := []byte("export function f(s) { return /x/.test(s) }")
	if _, err := c.Deploy(context.Background(), "f", regexp, true); err == nil || !strings.Contains(err.Error(), "shredderd tenant trust acme trusted") {
		t.Errorf("a sandboxed tenant's regular expression: %v", err)
	}
	if out, err := d.run("tenant", "trust", "acme", "trusted"); err != nil {
		t.Errorf("trust: %q, %v", out, err)
	}
	if _, err := c.Deploy(context.Background(), "f", regexp, true); err != nil {
		t.Error(err)
	}
	if out, err := d.run("tenant", "trust", "acme", "sandboxed"); err == nil || !strings.Contains(out, "regular expression") {
		t.Errorf("trust: %q, %v", out, err)
	}
	if out, err := d.run("tenant", "trust", "acme", "blindly"); err == nil || !strings.Contains(out, "none of sandboxed, trusted") {
		t.Errorf("trust: %q, %v", out, err)
	}
	if _, err := c.Set(context.Background(), client.Key("k"), []byte("v")); err != nil {
		t.Error(err)
	}
	if out, err := d.run("tenant", "list"); err != nil || !strings.Contains(out, "acme") || !strings.Contains(out, "dev") {
		t.Errorf("list: %q, %v", out, err)
	}
	if out, err := d.run("tenant", "delete", "acme"); err != nil {
		t.Errorf("delete: %q, %v", out, err)
	}
	if out, err := d.run("tenant", "list", "--json"); err != nil || strings.Contains(out, "acme") || !json.Valid([]byte(out)) {
		t.Errorf("list: %q, %v", out, err)
	}
	d.stop(unix.SIGINT)
}

// TestStopWhileCalling ends the server in the middle of a call that would run for long.
func TestStopWhileCalling(t *testing.T) {
	d := startDaemon(t)
	c := d.dial("127.0.0.1", "dev", "")
	ctx := context.Background()
	if _, err := c.Deploy(ctx, "spin", []byte("export function spin() { for (;;) {} }"), true); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	callCtx, cancel := context.WithCancel(ctx)
	go func() { c.Call(callCtx, "spin"); close(ended) }() // whatever it answers
	for running := false; !running; {
		_, body := d.get("/metrics")
		running = !strings.Contains(body, `shredder_lcore_slices_total{lcore="0"} 0`)
	}
	d.stop(unix.SIGTERM)
	cancel()
	<-ended
}

// TestFrontDoor: Redis clients see the data that datagrams see, and call the same functions.
func TestFrontDoor(t *testing.T) {
	d := startDaemon(t)
	c := d.dial("127.0.0.1", "dev", "")
	if _, err := c.Set(t.Context(), client.Key("k"), []byte("by wire")); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", d.Resp)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(conn, "PING\r\nGET k\r\nSET k by-redis\r\nJS countFriends 0 1\r\nQUIT\r\n"); err != nil {
		t.Fatal(err)
	}
	replies, err := io.ReadAll(conn)
	if want := "+PONG\r\n$7\r\nby wire\r\n+OK\r\n:0\r\n+OK\r\n"; err != nil || string(replies) != want {
		t.Errorf("%q, %v", replies, err)
	}
	if _, body := d.get("/metrics"); !strings.Contains(body, "shredder_resp_connections_total 1\n") || !strings.Contains(body, "shredder_resp_commands_total 5\n") {
		t.Error("the metrics do not have a connection and five commands")
	}
	if v, err := c.Get(t.Context(), client.Key("k")); err != nil || string(v.Value) != "by-redis" {
		t.Errorf("%q, %v", v.Value, err)
	}
	d.stop(os.Interrupt)
}

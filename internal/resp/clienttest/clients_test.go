package clienttest

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// npmClients are the versions that Debian's Node can run.
var npmClients = []string{"ioredis@5", "redis@5"}

// bench holds a shredderd and a directory with the page's examples.
type bench struct {
	t    *testing.T
	dir  string
	host string
	port string
}

// want skips the test where a program is missing, unless scripts/test.sh has seen to all.
func want(t *testing.T, probe ...string) {
	t.Helper()
	if out, err := exec.Command(probe[0], probe[1:]...).CombinedOutput(); err != nil {
		if os.Getenv("REDIS_CLIENTS") != "" {
			t.Fatalf("%q: %v\n%s", probe, err, out)
		}
		t.Skipf("%s is missing: scripts/test.sh installs it", probe)
	}
}

// start builds and starts a shredderd with the tenant of the examples.
func start(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir()}
	program := filepath.Join(b.dir, "shredderd")
	build := exec.Command("go", "build", "-o", program, "./cmd/shredderd")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	socket := filepath.Join(b.dir, "admin")
	cmd := exec.Command(program, "--dev", "--base-port", "0", "--admin-address", "127.0.0.1:0", "--resp", "127.0.0.1:0",
		"--admin-socket", socket, "--log-format", "json", "--memory", "512MiB")
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SHREDDER_") })
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var serving struct{ Resp, Message string }
	var seen []string
	for log := bufio.NewScanner(stderr); serving.Message != "serving"; {
		if !log.Scan() {
			t.Fatalf("the server ended: %s", seen)
		}
		seen = append(seen, log.Text())
		json.Unmarshal(log.Bytes(), &serving)
	}
	go func() { // so that the log's pipe is never full
		for buf := make([]byte, 4096); ; {
			if _, err := stderr.Read(buf); err != nil {
				return
			}
		}
	}()
	b.host, b.port, _ = strings.Cut(serving.Resp, ":")
	b.run(program, "tenant", "create", "acme", "--quota", "64MiB", "--token", "TOKEN", "--deploy-token", "DEPLOYTOKEN", "--trust", "trusted", "--socket", socket)
	b.examples()
	return b
}

func (b *bench) run(name string, args ...string) string {
	b.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = b.dir
	var stderr strings.Builder
	cmd.Stderr = &stderr // redis-cli warns of passwords there
	out, err := cmd.Output()
	if err != nil {
		b.t.Fatalf("%s %q: %v\n%s%s", name, args, err, out, stderr.String())
	}
	return string(out)
}

var fence = regexp.MustCompile("(?ms)^```(\\w+)(?: (\\S+))?\n(.*?)^```\n")

// examples writes the page's examples to files, with the port of this server.
func (b *bench) examples() {
	b.t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs/redis.md"))
	if err != nil {
		b.t.Fatal(err)
	}
	found := 0
	for _, m := range fence.FindAllStringSubmatch(string(page), -1) {
		name := m[2]
		if m[1] == "sh" {
			name = "example.sh"
		}
		text := strings.ReplaceAll(m[3], "6380", b.port)
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			b.t.Fatal(err)
		}
		found++
	}
	if found != 7 {
		b.t.Fatalf("%d examples in docs/redis.md, want 7", found)
	}
}

// TestClients runs each example with the client that it is for: all connect, authenticate, write,
// read, pipeline and call functions.
func TestClients(t *testing.T) {
	if testing.Short() && os.Getenv("REDIS_CLIENTS") == "" {
		t.Skip("clients of others take half a minute")
	}
	want(t, "redis-cli", "--version")
	b := start(t)
	if got, want := b.run("sh", "-e", "example.sh"), "demo\nOK\nhello\n5\n1\n"; got != want {
		t.Fatalf("redis-cli: %q, want %q", got, want)
	}
	expect := func(t *testing.T, got string) {
		t.Helper()
		if got != "hello 1 5\n" {
			t.Errorf("%q, want hello 1 5", got)
		}
	}
	t.Run("ioredis and node-redis", func(t *testing.T) {
		want(t, "npm", "--version")
		b.t = t
		b.run("npm", append([]string{"install", "--silent", "--no-audit", "--no-fund", "--prefix", b.dir}, npmClients...)...)
		expect(t, b.run("node", "ioredis.cjs"))
		expect(t, b.run("node", "noderedis.cjs"))
	})
	t.Run("redis-py", func(t *testing.T) {
		want(t, "/usr/bin/python3", "-c", "import redis")
		b.t = t
		expect(t, b.run("/usr/bin/python3", "example.py"))
	})
	t.Run("go-redis", func(t *testing.T) {
		cmd := exec.Command("go", "run", filepath.Join(b.dir, "example.go"))
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		expect(t, string(out))
	})
	t.Run("hiredis", func(t *testing.T) {
		want(t, "pkg-config", "--exists", "hiredis")
		b.t = t
		b.run("cc", "-o", "example", "example.c", "-lhiredis")
		expect(t, b.run("./example"))
	})
	t.Run("redis-benchmark", func(t *testing.T) {
		want(t, "redis-benchmark", "--version")
		b.t = t
		for _, depth := range []string{"1", "16"} {
			out := b.run("redis-benchmark", "-h", b.host, "-p", b.port, "--user", "acme", "-a", "TOKEN", "-n", "2000", "-c", "10", "-P", depth, "-q", "-t", "ping,set,get,incr,mset")
			for _, name := range []string{"PING_INLINE", "SET", "GET", "INCR", "MSET"} {
				if !strings.Contains(out, name+": ") && !strings.Contains(out, name+" (10 keys): ") {
					t.Errorf("depth %s: no %s in %q", depth, name, out)
				}
			}
			if strings.Contains(strings.ToLower(out), "err") {
				t.Errorf("depth %s: %q", depth, out)
			}
		}
	})
}

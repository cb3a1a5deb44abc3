package e2e

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"shredder/bench/graph"
	"shredder/client"
)

const root = "../.."

// programs builds the daemon and the command line, once, into programsDir, which TestMain removes.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "shredder-e2e-"); err != nil {
		return "", err
	}
	programsDir = dir
	build := exec.Command("go", "build", "-o", dir, "./cmd/shredder", "./cmd/shredderd")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

var programsDir string

// settings are the environment of a daemon of up to two lcores and its clients, on free ports.
func settings(dir string) ([]string, error) {
	sockets, err := openSockets(0, 2)
	for range 100 {
		if err == nil {
			break
		}
		sockets, err = openSockets(0, 2)
	}
	if err != nil {
		return nil, err
	}
	port := sockets[0].Address().Port()
	for _, s := range sockets {
		s.Close()
	}
	return []string{
		fmt.Sprintf("SHREDDER_BASE_PORT=%d", port), fmt.Sprintf("SHREDDER_ADDR=%v", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)),
		"SHREDDER_ADMIN_ADDRESS=127.0.0.1:0", "SHREDDER_ADMIN_SOCKET=" + filepath.Join(dir, "admin.sock"), "SHREDDER_MEMORY=1GiB",
	}, nil
}

// TestPrograms runs testdata/script, each beside a free port of its own.
func TestPrograms(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	demo, err := filepath.Abs(filepath.Join(root, "cmd/shredderd/demo/demo.js"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			set, err := settings(e.WorkDir)
			if err != nil {
				return err
			}
			for _, s := range set {
				name, value, _ := strings.Cut(s, "=")
				e.Setenv(name, value)
			}
			e.Setenv("DEMO", demo)
			e.Setenv("PATH", bin+string(filepath.ListSeparator)+e.Getenv("PATH"))
			return nil
		},
	})
}

// TestCommandLine runs the scripts that the command line passes against a server
// made for its tests against a real one too.
func TestCommandLine(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	s := startUDP(t, 2)
	t.Run("scripts", func(t *testing.T) { // a group: they are parallel, the server ends after them
		testscript.Run(t, testscript.Params{
			Files: []string{filepath.Join(root, "cmd/shredder/testdata/script/kv.txtar"), filepath.Join(root, "cmd/shredder/testdata/script/usage.txtar")},
			Setup: func(e *testscript.Env) error {
				e.Setenv("SHREDDER_ADDR", s.addr("127.0.0.1", 1))
				e.Setenv("SHREDDER_TENANT", s.tenant(t, open("script"), library))
				e.Setenv("PATH", bin+string(filepath.ListSeparator)+e.Getenv("PATH"))
				return nil
			},
		})
	})
}

// minute is the commands of the README's "In a minute".
func minute(t *testing.T) []string {
	t.Helper()
	text := string(must[[]byte](t)(os.ReadFile(filepath.Join(root, "README.md"))))
	_, section, found := strings.Cut(text, "\n## In a minute")
	_, section, foundBlock := strings.Cut(section, "\n```\n")
	block, _, foundEnd := strings.Cut(section, "\n```\n")
	lines := strings.Split(block, "\n")
	if !found || !foundBlock || !foundEnd || len(lines) < 4 {
		t.Fatalf("the README's commands are %q", lines)
	}
	return lines
}

// TestReadme types what the README says, as it says it; only the ports are others.
func TestReadme(t *testing.T) {
	set := must[[]string](t)(settings(t.TempDir()))
	environment := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SHREDDER_") })
	environment = append(append(environment, set...), "CGO_ENABLED=0")
	shell := func(line string) *exec.Cmd {
		cmd := exec.Command("sh", "-ec", line)
		cmd.Dir, cmd.Env = root, environment
		return cmd
	}
	lines := minute(t)
	free := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	resp := free.Addr().(*net.TCPAddr).Port
	free.Close()
	environment = append(environment, fmt.Sprintf("SHREDDER_RESP=127.0.0.1:%d", resp))
	server := shell(lines[0])
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // `go run` passes no signal on
	var log strings.Builder
	server.Stdout, server.Stderr = &log, &log
	server.WaitDelay = patience
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	defer func() {
		syscall.Kill(-server.Process.Pid, syscall.SIGINT)
		<-ended
		if t.Failed() {
			t.Logf("the server said:\n%s", log.String())
		}
	}()
	addr, _ := strings.CutPrefix(set[1], "SHREDDER_ADDR=")
	ready, cancel := context.WithTimeout(t.Context(), 3*time.Minute) // it is compiled first
	defer cancel()
	go func() {
		select {
		case err := <-ended:
			ended <- err
			cancel()
		case <-ready.Done():
		}
	}()
	c, err := client.Dial(ready, addr, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	wants := map[string]string{
		"get greeting":      "hello\n",
		"call countFriends": fmt.Sprintf("%d\n", graph.GeneratedAnswers[1]),
		"fn explain":        "(integer, integer): compiled",
		"redis-cli":         "hello\n",
	}
	for _, line := range lines[1:] {
		out, err := shell(strings.Replace(line, "6380", strconv.Itoa(resp), 1)).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		for part, want := range wants {
			if strings.Contains(line, part) && !strings.Contains(string(out), want) {
				t.Errorf("%s says %q, want %q", line, out, want)
			}
		}
	}
}

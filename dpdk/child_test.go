//go:build dpdk

package dpdk

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const childVar = "SHREDDER_DPDK_TEST_CHILD"

// noHuge are EAL arguments that need neither hugepages nor devices.
var noHuge = []string{"--no-huge", "-m", "256", "--no-pci", "--no-shconf", "--no-telemetry", "--log-level=error"}

// inChild runs the calling test again in a child process, since a process has
// one EAL in its life. In the parent it runs the child, reports its failure and
// returns false; in the child it returns true.
func inChild(t *testing.T) bool {
	t.Helper()
	return child(t, nil)
}

// inNetwork is inChild in a network namespace of its own, where the child may
// make interfaces that vanish with it.
func inNetwork(t *testing.T) bool {
	t.Helper()
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return child(t, attr)
}

func child(t *testing.T, attr *syscall.SysProcAttr) bool {
	t.Helper()
	if os.Getenv(childVar) == t.Name() {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), childVar+"="+t.Name())
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("child process: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("the child process ran no test:\n%s", out)
	}
	return false
}

// startEAL starts the EAL without hugepages and registers the test's thread.
func startEAL(t *testing.T, args ...string) {
	t.Helper()
	eal, err := Init(append(append([]string{}, noHuge...), args...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eal.Close(); err != nil {
			t.Error(err)
		}
	})
	runtime.LockOSThread()
	unregister, err := RegisterThread()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(unregister)
}

// openPort opens and starts a port and has it closed at the end, which fails if
// an mbuf is missing.
func openPort(t *testing.T, config PortConfig) *Port {
	t.Helper()
	p, err := OpenPort(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

//go:build dpdk

package e2e

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"shredder/dataplane/nic"
	"shredder/dpdk"
	"shredder/pktproc"
)

const childVar = "SHREDDER_E2E_CHILD"

// inNetwork runs the calling test again in a child process, since a process has
// one EAL in its life, and in a network namespace of the child's own. In the
// parent it reports the child's failure and returns false; in the child, true.
func inNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(childVar) == t.Name() {
		return true
	}
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
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

func command(t *testing.T, line string) {
	t.Helper()
	args := strings.Fields(line)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// startDPDK starts a site on a DPDK device whose other end is the interface
// e2e0 of the kernel, which prepare makes if the device does not.
func startDPDK(t *testing.T, lcores int, vdev string, prepare ...string) (*site, *dpdk.Port) {
	t.Helper()
	for _, line := range prepare {
		command(t, line)
	}
	eal, err := dpdk.Init([]string{"--no-huge", "-m", "512", "--no-pci", "--no-shconf", "--no-telemetry", "--log-level=error", "--vdev=" + vdev})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eal.Close(); err != nil {
			t.Error(err)
		}
	})
	name, _, _ := strings.Cut(vdev, ",")
	port, err := dpdk.OpenPort(dpdk.PortConfig{Name: name, Queues: lcores})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // fails if an mbuf is missing
		if err := port.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := port.Start(); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(vdev, "net_af_packet") {
		checksumsBySoftware(t, "e2e0")
	}
	command(t, "ip address add 198.18.0.2/24 dev e2e0")
	command(t, "ip link set e2e0 up")
	command(t, "ip -6 address add fd53:4852::2/64 dev e2e0 nodad")

	d := device{registerThread: dpdk.RegisterThread, addresses: pktproc.Addresses{
		MAC:  [6]byte{2, 0x53, 0x48, 0x52, 0x45, 0x44},
		IPv4: []netip.Prefix{netip.MustParsePrefix("198.18.0.1/24")},
		IPv6: []netip.Prefix{netip.MustParsePrefix("fd53:4852::1/64")},
	}}
	for i := range lcores {
		d.queues = append(d.queues, nic.Queue(port.Queue(i)))
	}
	s := &site{t: t, hosts: []string{"198.18.0.1", "[fd53:4852::1]"}, lcores: lcores, port: 9000}
	s.serve(d)
	t.Cleanup(s.stop)
	return s, port
}

// frames fails unless the device has carried what the suite sent.
func frames(t *testing.T, port *dpdk.Port) {
	t.Helper()
	stats, err := port.Stats()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d frames in, %d out", stats.Ipackets, stats.Opackets)
	if stats.Ipackets < 10_000 || stats.Opackets < 10_000 {
		t.Errorf("%d frames went in through the device and %d out", stats.Ipackets, stats.Opackets)
	}
}

func TestTap(t *testing.T) {
	if !inNetwork(t) {
		return
	}
	s, port := startDPDK(t, 2, "net_tap0,iface=e2e0")
	runSuite(t, s)
	frames(t, port)
}

func TestAfPacket(t *testing.T) {
	if !inNetwork(t) {
		return
	}
	s, port := startDPDK(t, 1, "net_af_packet0,iface=e2e1",
		"ip link add e2e0 type veth peer name e2e1", "ip link set e2e1 up")
	runSuite(t, s)
	frames(t, port)
}

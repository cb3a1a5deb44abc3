package peer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// EAL returns the EAL arguments that every process of the benchmarks shares:
// no root, no hugepages, no PCI devices.
func EAL(prefix string, vdevs ...string) []string {
	args := []string{"--no-huge", "-m", "512", "--no-pci", "--no-shconf", "--no-telemetry", "--file-prefix=" + prefix}
	for _, v := range vdevs {
		args = append(args, "--vdev="+v)
	}
	return args
}

// Testpmd is a running dpdk-testpmd that swaps addresses and ports of frames.
type Testpmd struct{ *Process }

// StartTestpmd starts it on one device. Its forwarding lcore is on cpu, its
// command line on other. Forwarding begins when the device's link is up or not.
func StartTestpmd(cpu, other int, vdev string) (*Testpmd, error) {
	// Into a pipe it would print by blocks of 4 KiB; we wait for lines.
	argv := append([]string{"stdbuf", "-oL", "dpdk-testpmd", fmt.Sprintf("--lcores=0@%d,1@%d", other, cpu)}, EAL("shredder-testpmd", vdev)...)
	argv = append(argv, "--", "-i", "--total-num-mbufs=16384")
	p, err := start("dpdk-testpmd", -1, "", argv...)
	if err != nil {
		return nil, err
	}
	t := &Testpmd{p}
	if err := p.await(func() bool { return strings.Contains(p.out.from(0), "testpmd> ") }); err != nil {
		return nil, err
	}
	for _, line := range []string{"set record-core-cycles on", "set fwd 5tswap", "start"} {
		if _, err := t.say(line, "testpmd> "); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// say types a line and returns what is printed up to the text until.
func (t *Testpmd) say(line, until string) (string, error) {
	at := len(t.out.from(0))
	if _, err := fmt.Fprintln(t.stdin, line); err != nil {
		return "", fmt.Errorf("dpdk-testpmd: %w", err)
	}
	for begin := time.Now(); time.Since(begin) < 2*time.Second; time.Sleep(time.Millisecond) {
		if said := t.out.from(at); strings.Contains(said, until) {
			return said, nil
		}
	}
	return "", fmt.Errorf("dpdk-testpmd does not answer %q: %s", line, tail(t.out.from(at)))
}

var cyclesLine = regexp.MustCompile(`CPU cycles/packet=[\d.]+ \((?:busy|total) cycles=(\d+) / total \S+ packets=(\d+)\) at (\d+) MHz`)

// Busy returns the nanoseconds a frame that testpmd itself counts (set
// record-core-cycles): bursts of nothing are not in it. Clear starts the count.
func (t *Testpmd) Busy() (float64, error) {
	said, err := t.say("show fwd stats all", "MHz Clock")
	if err != nil {
		return 0, err
	}
	return parseBusy(said)
}

func parseBusy(said string) (float64, error) {
	m := cyclesLine.FindStringSubmatch(said)
	if m == nil {
		return 0, fmt.Errorf("dpdk-testpmd counts no cycles: %s", tail(said))
	}
	cycles, _ := strconv.ParseFloat(m[1], 64)
	frames, _ := strconv.ParseFloat(m[2], 64)
	megahertz, _ := strconv.ParseFloat(m[3], 64)
	return cycles / frames / megahertz * 1000, nil
}

// Clear starts testpmd's counts anew.
func (t *Testpmd) Clear() error {
	_, err := t.say("clear fwd stats all", "testpmd> ")
	return err
}

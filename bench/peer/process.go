// Package peer starts, pauses and ends the servers that the suites compare:
// Shredder itself, dpdk-testpmd, redis-server, memcached, and the interpreters
// that run the jit suite's workloads, each pinned to one CPU.
//
// A Process may be used from one goroutine at a time.
package peer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// patience bounds how long a server may take to start, endPatience to end.
const (
	patience    = 60 * time.Second
	endPatience = 5 * time.Second
)

// Process is a running server. Its standard input stays open.
type Process struct {
	Name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *output
	ended chan struct{}
}

// output keeps what a process printed.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) from(at int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.b.Bytes()[min(at, o.b.Len()):])
}

// start runs a command on one CPU, or with cpu −1 on all that this process had
// at its start (its threads may have been pinned since).
func start(name string, cpu int, dir string, argv ...string) (*Process, error) {
	return startTalking(name, cpu, dir, nil, argv...)
}

// startTalking is start for a process whose standard output goes to talk, and
// not into what the process is said to have printed.
func startTalking(name string, cpu int, dir string, talk *os.File, argv ...string) (*Process, error) {
	cpus := fmt.Sprintf("0-%d", runtime.NumCPU()-1)
	if cpu >= 0 {
		cpus = strconv.Itoa(cpu)
	}
	argv = append([]string{"taskset", "-c", cpus}, argv...)
	p := &Process{Name: name, cmd: exec.Command(argv[0], argv[1:]...), out: new(output), ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if talk != nil {
		p.cmd.Stdout = talk
	}
	// A paused server would outlive a suite that is killed. The suites keep to
	// one locked thread, so the parent's thread ends with the parent.
	p.cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in its output
		close(p.ended)
	}()
	return p, nil
}

// await waits until ready says so; an early end is an error with the output.
func (p *Process) await(ready func() bool) error {
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		if ready() {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %s", p.Name, tail(p.out.from(0)))
		default:
		}
	}
	return errors.Join(fmt.Errorf("%s is not ready after %v: %s", p.Name, patience, tail(p.out.from(0))), p.Stop())
}

func tail(s string) string {
	if len(s) > 2000 {
		s = "…" + s[len(s)-2000:]
	}
	return strings.TrimSpace(s)
}

// Pause stops the process where it is, so that its poll loop leaves the CPU to
// another; Resume lets it go on.
func (p *Process) Pause() error  { return p.cmd.Process.Signal(unix.SIGSTOP) }
func (p *Process) Resume() error { return p.cmd.Process.Signal(unix.SIGCONT) }

// Stop ends the process, by force if it does not hear.
func (p *Process) Stop() error {
	_ = p.Resume()
	_ = p.stdin.Close()
	_ = p.cmd.Process.Signal(unix.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(endPatience):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
	return nil
}

// CPUNanos is the processor time the process has used, by the scheduler's books.
func (p *Process) CPUNanos() (uint64, error) {
	return p.threadNanos(func(string) bool { return true })
}

// otherCPUNanos is the same without the threads that are pinned to one CPU alone.
func (p *Process) otherCPUNanos(cpu int) (uint64, error) {
	return p.threadNanos(func(task string) bool {
		b, err := os.ReadFile(filepath.Join(task, "status"))
		return err == nil && !strings.Contains(string(b), fmt.Sprintf("Cpus_allowed_list:\t%d\n", cpu))
	})
}

// threadNanos adds up the processor time of the threads that keep holds for.
func (p *Process) threadNanos(keep func(task string) bool) (total uint64, err error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", p.cmd.Process.Pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("%s: no scheduler statistics: %w", p.Name, err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(filepath.Join(task, "schedstat"))
		if err != nil || !keep(task) {
			continue // a thread that has ended
		}
		first, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseUint(first, 10, 64)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// RSS is the resident memory in bytes.
func (p *Process) RSS() (uint64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var size, resident uint64
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		return 0, err
	}
	return resident * uint64(os.Getpagesize()), nil
}

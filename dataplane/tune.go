package dataplane

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

// TuneConfig says how the Go runtime is to live beside the poll loops.
type TuneConfig struct {
	// Pollers are the CPUs of the lcores; every other thread is kept off them.
	Pollers []int
	// MemoryLimit is GOMEMLIMIT in bytes. The collector runs only when the heap
	// nears it: on the path of a request there is no garbage.
	MemoryLimit int64
}

// Tuning is what Tune did.
type Tuning struct {
	MaxProcs     int
	Housekeeping []int // CPUs of all threads but the lcores'
	// Shared says that no CPU was left for the runtime, so it shares the lcores':
	// collections then stop a loop for milliseconds (docs/RATIONALE.md).
	Shared bool
}

// Tune sets up the Go runtime for pinned poll loops: GOMAXPROCS = lcores +
// housekeeping CPUs, no collections but those that the memory limit asks for, all
// threads there are (and so those they will start) on the housekeeping CPUs. It
// must run before EAL and the lcores start. The measurements behind each
// choice are in docs/RATIONALE.md.
func Tune(cfg TuneConfig) (Tuning, error) {
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return Tuning{}, fmt.Errorf("read CPU affinity: %w", err)
	}
	rest := allowed
	for _, cpu := range cfg.Pollers {
		if !allowed.IsSet(cpu) {
			return Tuning{}, fmt.Errorf("CPU %d is not one this process may use (%v)", cpu, cpuList(&allowed))
		}
		rest.Clear(cpu)
	}
	t := Tuning{Shared: rest.Count() == 0}
	if t.Shared {
		rest = allowed
	}
	t.Housekeeping = cpuList(&rest)
	t.MaxProcs = min(len(cfg.Pollers)+rest.Count(), allowed.Count())
	if err := confineThreads(&rest); err != nil {
		return Tuning{}, err
	}
	runtime.GOMAXPROCS(t.MaxProcs)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(cfg.MemoryLimit)
	return t, nil
}

// confineThreads moves every thread of the process to set. A thread started
// meanwhile inherits from one that is moved or about to be, so a second pass
// over the list catches it.
func confineThreads(set *unix.CPUSet) error {
	for range 2 {
		entries, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("list threads: %w", err)
		}
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil {
				continue
			}
			if err := unix.SchedSetaffinity(tid, set); err != nil && err != unix.ESRCH {
				return fmt.Errorf("confine thread %d: %w", tid, err)
			}
		}
	}
	return nil
}

func cpuList(set *unix.CPUSet) []int {
	var cpus []int
	for cpu := 0; cpu < len(set)*64; cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

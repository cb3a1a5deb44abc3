//go:build dpdk

package dpdk

// #cgo pkg-config: libdpdk
// #cgo noescape rte_thread_register
// #include <stdlib.h>
// #include <rte_eal.h>
// #include <rte_errno.h>
// #include <rte_ethdev.h>
// #include <rte_lcore.h>
// #include <rte_version.h>
// #include "port.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Available says whether DPDK is built in: here it is.
func Available() error { return nil }

// Version returns the version of libdpdk that is loaded, e.g. "DPDK 22.11.11".
func Version() string { return C.GoString(C.rte_version()) }

// EAL is DPDK's environment abstraction layer, of which a process has one in its life.
type EAL struct {
	calls  chan func() // run on the EAL's main thread
	closed bool
}

var ealOnce struct {
	sync.Mutex
	used bool
}

// Init starts the EAL with args as on a DPDK command line, without the program
// name. A process can do it once, even if it fails. If args choose no lcores,
// the EAL gets the first CPU that this process may run on: lcores that poll
// bring their own threads (RegisterThread). The EAL lives on a thread of its
// own; affinity of the caller is not touched.
func Init(args []string) (*EAL, error) {
	ealOnce.Lock()
	defer ealOnce.Unlock()
	if ealOnce.used {
		return nil, errors.New("dpdk: the EAL starts once in a process")
	}
	ealOnce.used = true
	if !hasLcoreArg(args) {
		cpu, err := firstCPU()
		if err != nil {
			return nil, err
		}
		args = append([]string{"-l", strconv.Itoa(cpu)}, args...)
	}
	e := &EAL{calls: make(chan func())}
	started := make(chan error)
	go e.main(args, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return e, nil
}

// main starts the EAL and then parks, running what Close sends. EAL pins the
// thread that starts it and leaves thread-local state in it, so the thread is
// never given back to Go's pool; new threads inherit their creator's affinity,
// so this one's is put back all the same.
func (e *EAL) main(args []string, started chan<- error) {
	runtime.LockOSThread()
	var before unix.CPUSet
	err := unix.SchedGetaffinity(0, &before)
	if err == nil {
		err = ealInit(args)
		if restored := unix.SchedSetaffinity(0, &before); err == nil && restored != nil {
			err = fmt.Errorf("dpdk: put the EAL thread's affinity back: %w", restored)
		}
	}
	started <- err
	if err != nil {
		return
	}
	for call := range e.calls {
		call()
	}
}

func ealInit(args []string) error {
	argv := ealArgv(append([]string{"shredder"}, args...))
	if n := C.rte_eal_init(C.int(len(args)+1), argv); n >= 0 {
		return nil
	}
	reason := errnoText(int(C.shred_errno()))
	hint := ""
	if !hasArg(args, "--no-huge") && !hugepages() {
		hint = "; there are no free hugepages: reserve some (vm.nr_hugepages) or add --no-huge -m 512 --no-pci --no-shconf"
	}
	return fmt.Errorf("dpdk: EAL init with %q: %s%s (details on standard error)", strings.Join(args, " "), reason, hint)
}

// Close shuts the EAL down. Ports must be closed and threads unregistered.
func (e *EAL) Close() error {
	ealOnce.Lock()
	defer ealOnce.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	done := make(chan error)
	e.calls <- func() {
		done <- errnoError("EAL cleanup", int(C.rte_eal_cleanup()))
	}
	return <-done
}

// RegisterThread makes the calling thread an lcore of DPDK, so that mempools
// give it a cache. The goroutine must be locked to its thread and call
// unregister from it, before the thread or the EAL ends.
func RegisterThread() (unregister func(), err error) {
	if C.rte_thread_register() != 0 {
		return nil, fmt.Errorf("dpdk: register thread as lcore: %s", errnoText(int(C.shred_errno())))
	}
	return func() { C.rte_thread_unregister() }, nil
}

// Ports returns the names of all Ethernet devices that the EAL found, by id.
func Ports() []string {
	var names []string
	for id := 0; id < C.RTE_MAX_ETHPORTS; id++ {
		if C.rte_eth_dev_is_valid_port(C.uint16_t(id)) == 0 {
			continue
		}
		var info C.struct_shred_info
		if C.shred_port_info(C.uint16_t(id), &info) == 0 {
			names = append(names, C.GoString(&info.device[0]))
		}
	}
	return names
}

func firstCPU() (int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0, fmt.Errorf("dpdk: read affinity: %w", err)
	}
	for cpu := 0; cpu < len(set)*64; cpu++ {
		if set.IsSet(cpu) {
			return cpu, nil
		}
	}
	return 0, errors.New("dpdk: this process may run on no CPU")
}

// hugepages tells whether any hugepage of any size is free.
func hugepages() bool {
	const dir = "/sys/kernel/mm/hugepages"
	sizes, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, size := range sizes {
		free, err := os.ReadFile(dir + "/" + size.Name() + "/free_hugepages")
		if err == nil && strings.TrimSpace(string(free)) != "0" {
			return true
		}
	}
	return false
}

func hasArg(args []string, name string) bool {
	for _, a := range args {
		if a == name {
			return true
		}
	}
	return false
}

// errnoText is DPDK's text for an errno of either sign.
func errnoText(code int) string {
	if code < 0 {
		code = -code
	}
	return C.GoString(C.rte_strerror(C.int(code)))
}

// errnoError turns the result of a DPDK call into an error, nil from 0 up.
func errnoError(what string, ret int) error {
	if ret >= 0 {
		return nil
	}
	return fmt.Errorf("dpdk: %s: %s", what, errnoText(ret))
}

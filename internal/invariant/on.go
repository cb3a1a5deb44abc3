//go:build invariants

// Package invariant, built with its checks. See off.go.
package invariant

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Enabled tells whether the checks are built in.
const Enabled = true

// Poison is the byte that memory given back is filled with.
const Poison = 0xCC

// Owner remembers the one thread that may use something: by thread, and by goroutine,
// since tests are not locked to a thread. A coroutine (iter.Pull) counts as the
// goroutine that made it: of the two only one runs.
type Owner struct {
	goroutine, thread atomic.Int64
}

// Check panics if another thread and goroutine than the first one calls it.
func (o *Owner) Check() {
	t := int64(unix.Gettid())
	if o.thread.Load() == t {
		return
	}
	g := coroutineOf()
	if g < 0 {
		g = goroutineID()
	}
	if o.goroutine.CompareAndSwap(0, g) || o.goroutine.Load() == g {
		o.thread.Store(t)
		return
	}
	panic(fmt.Sprintf("invariant: owned by goroutine %d on thread %d, used by goroutine %d on thread %d without a hand-over",
		o.goroutine.Load(), o.thread.Load(), g, t))
}

// HandOver lets the next caller of Check become the owner.
func (o *Owner) HandOver() {
	o.thread.Store(0)
	o.goroutine.Store(0)
}

// goroutineID reads the number in "goroutine 7 [running]:".
func goroutineID() int64 {
	var b [64]byte
	text := bytes.TrimPrefix(b[:runtime.Stack(b[:], false)], []byte("goroutine "))
	n, _ := strconv.ParseInt(string(text[:bytes.IndexByte(text, ' ')]), 10, 64)
	return n
}

// coroutineOf returns the goroutine that made this one by iter.Pull, else −1. It stands
// in the last line of a trace: "created by iter.Pull[...] in goroutine 7".
func coroutineOf() int64 {
	b := make([]byte, 1<<20)
	_, maker, ok := bytes.Cut(b[:runtime.Stack(b, false)], []byte("created by iter.Pull"))
	if !ok {
		return -1
	}
	_, maker, _ = bytes.Cut(maker, []byte("in goroutine "))
	digits := len(maker) - len(bytes.TrimLeft(maker, "0123456789"))
	n, err := strconv.ParseInt(string(maker[:digits]), 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// Fill overwrites memory that was given back.
func Fill(b []byte) {
	for i := range b {
		b[i] = Poison
	}
}

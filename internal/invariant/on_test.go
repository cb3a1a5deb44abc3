//go:build invariants

package invariant

import (
	"iter"
	"runtime"
	"testing"
)

// other runs f on a goroutine and thread of its own and returns what it panicked with.
func other(f func()) any {
	got := make(chan any)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		defer func() { got <- recover() }()
		f()
	}()
	return <-got
}

func TestOwner(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var o Owner
	o.Check()
	o.Check()
	if other(o.Check) == nil {
		t.Fatal("a second thread was let in")
	}
	o.HandOver()
	if p := other(o.Check); p != nil {
		t.Fatal(p)
	}
	defer func() {
		if recover() == nil {
			t.Fatal("the first owner was let in after a hand-over")
		}
	}()
	o.Check()
}

// TestCoroutine: a coroutine is its maker, wherever either runs.
func TestCoroutine(t *testing.T) {
	var o Owner
	o.Check()
	next, stop := iter.Pull(func(yield func(int) bool) {
		for i := range 100 {
			o.Check()
			if !yield(i) {
				return
			}
		}
	})
	defer stop()
	for range 100 {
		next()
		o.thread.Store(-1) // as if both had moved to another thread
		if p := other(o.Check); p == nil {
			t.Fatal("a second thread was let in")
		}
	}
}

func TestFill(t *testing.T) {
	b := make([]byte, 9)
	Fill(b[:8])
	if b[0] != Poison || b[7] != Poison || b[8] != 0 {
		t.Fatalf("% x", b)
	}
}

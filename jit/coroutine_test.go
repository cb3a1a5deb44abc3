package jit

import (
	"runtime"
	"testing"
)

func TestCoroutineRunsBodiesOneAfterAnother(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	c := NewCoroutine()
	defer c.Close()
	for round := 1; round <= 5; round++ {
		var steps int
		c.Start(func(yield func() bool) {
			for i := 0; i < round; i++ {
				steps++
				if !yield() {
					t.Error("yield said stop")
				}
			}
		})
		resumes := 1
		for !c.Resume() {
			resumes++
		}
		if steps != round || resumes != round+1 {
			t.Fatalf("round %d: %d steps, %d resumes", round, steps, resumes)
		}
		if !c.Idle() || !c.Resume() {
			t.Fatal("not idle at the end")
		}
	}
}

func TestCoroutineKill(t *testing.T) {
	c := NewCoroutine()
	defer c.Close()
	var ended, refused int
	body := func(yield func() bool) {
		for yield() {
		}
		for i := 0; i < 3; i++ {
			if !yield() {
				refused++
			}
		}
		ended++
	}
	c.Start(body)
	c.Kill() // never began
	if ended != 0 || !c.Idle() {
		t.Fatal("a body that never began has run")
	}
	c.Start(body)
	c.Resume()
	c.Resume()
	c.Kill()
	if ended != 1 || refused != 3 || !c.Idle() {
		t.Fatalf("ended %d, refused %d", ended, refused)
	}
	c.Start(func(func() bool) { ended++ })
	if !c.Resume() || ended != 2 {
		t.Fatal("not usable after a kill")
	}
}

func TestCoroutineResumeDoesNotAllocate(t *testing.T) {
	c := NewCoroutine()
	defer c.Close()
	c.Start(func(yield func() bool) {
		for yield() {
		}
	})
	c.Resume()
	if n := testing.AllocsPerRun(100, func() { c.Resume() }); n != 0 {
		t.Fatalf("%v allocations a resume", n)
	}
}

func BenchmarkCoroutineResume(b *testing.B) {
	c := NewCoroutine()
	defer c.Close()
	c.Start(func(yield func() bool) {
		for yield() {
		}
	})
	for b.Loop() {
		c.Resume()
	}
}

// TestCoroutineOfABodyThatPanics: the panic reaches the one who resumes, and
// nothing waits for that body afterwards.
func TestCoroutineOfABodyThatPanics(t *testing.T) {
	c := NewCoroutine()
	c.Start(func(yield func() bool) {
		yield()
		panic("broken")
	})
	c.Resume()
	func() {
		defer func() {
			if recover() != "broken" {
				t.Error("the panic was lost")
			}
		}()
		c.Resume()
	}()
	if !c.Idle() {
		t.Error("the body counts as running")
	}
	c.Close()
}

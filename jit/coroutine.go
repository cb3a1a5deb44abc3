package jit

import "iter"

// Coroutine runs one body after another on a stack of its own and gives the
// thread back whenever the body yields. Making one costs 370 ns and six
// allocations, a resume with its yield 80 ns (facts.md), so they are reused:
// an lcore keeps those that are done and starts new bodies on them.
//
// A Coroutine belongs to the thread that made it: NewCoroutine, Resume, Kill
// and Close must be called from that thread, at the same LockOSThread depth,
// because the runtime refuses to switch to a coroutine from a differently
// locked thread.
type Coroutine struct {
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	again   func() bool // given to bodies, made once
	body    func(yield func() bool)
	running bool // a body has begun and not ended
	killed  bool
}

// NewCoroutine makes an idle coroutine.
func NewCoroutine() *Coroutine {
	c := &Coroutine{}
	c.again = func() bool { return !c.killed && c.yield(struct{}{}) && !c.killed }
	c.next, c.stop = iter.Pull(c.loop)
	return c
}

// loop runs bodies until Close. It hands over between two bodies, so that the
// Resume which saw the first one end is not held up by the next.
func (c *Coroutine) loop(yield func(struct{}) bool) {
	c.yield = yield
	// A body that panics or leaves its goroutine takes the coroutine with it;
	// Kill and Close must then not wait for its end.
	defer func() { c.running = false }()
	for {
		body := c.body
		c.body = nil
		if body != nil {
			body(c.again)
			c.running = false
		}
		if !yield(struct{}{}) {
			return
		}
	}
}

// Start sets the body that the next Resume begins. The coroutine must be idle.
// The body's yield suspends it; it returns false when the body must end.
func (c *Coroutine) Start(body func(yield func() bool)) {
	if c.running {
		panic("jit: Start on a coroutine that runs")
	}
	c.body, c.running, c.killed = body, true, false
}

// Resume runs the body to its next yield, or to its end: then done is true and
// the coroutine is idle.
func (c *Coroutine) Resume() (done bool) {
	if c.running {
		c.next()
	}
	return !c.running
}

// Kill makes the pending yield, and all later ones, return false, and runs the
// body to its end. A body that never began is dropped.
func (c *Coroutine) Kill() {
	if c.body != nil {
		c.body, c.running = nil, false
		return
	}
	c.killed = true
	for c.running {
		c.next()
	}
}

// Idle says that no body runs.
func (c *Coroutine) Idle() bool { return !c.running }

// Close kills what runs and frees the coroutine's stack.
func (c *Coroutine) Close() {
	c.Kill()
	c.stop()
}

// Package dataplane runs the poll loops: one goroutine per lcore, locked to
// its thread and pinned to its CPU, that moves bursts between a nic.Queue and a
// pktproc.Processor.
//
// A Core and everything below it belong to its lcore. Plane's methods may be
// called from any thread; they reach an lcore through its mailbox only.
package dataplane

import (
	"sync/atomic"

	"shredder/dataplane/nic"
	"shredder/pktproc"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// Housekeeping is due after this many nanoseconds, sooner on an lcore that has had
// nothing to do for quietNanos. Between the requests of one client at a time it
// would be in the way of one in twenty: it made their p99 3.6 times testpmd's.
const (
	housekeepBusyNanos  = 1_000_000
	housekeepQuietNanos = 20_000
	quietNanos          = 200_000
)

// turnFrames is how many frames one turn serves, the lcore's own and those handed
// over. With the values that a datagram can carry they touch less than 64 KiB.
const turnFrames = 64 << 10 / wire.MaxDatagram

// mailboxBurst is how many events one turn handles.
const mailboxBurst = 8

// Core is one lcore: a queue, a processor and what joins them.
type Core struct {
	lcore   int
	queue   nic.Queue
	proc    *pktproc.Processor
	mailbox mailbox
	batches pktproc.Inbox
	inbox   inbox
	outbox  []*handover // outbox[i] leads from here to lcore i
	now     func() pktproc.Clock

	burst         nic.Burst
	lastPoll      int64 // when the turn before this one polled, ns
	lastHousekeep int64
	lastBusy      int64
	busy          bool // the turn before this one did something

	gaps      gaps
	busyNanos uint64
	turns     uint64
	busyTurns uint64
	stop      atomic.Bool
	waker     waker       // the queue, if it can be woken
	asleep    atomic.Bool // in doze
}

// Step is one turn of the loop. It reports whether there was anything to do.
// The calls into the queue are the only ones that cross an interface.
func (c *Core) Step() bool {
	busy := false
	if !c.mailbox.empty() {
		c.mailbox.drain(mailboxBurst, c.handle)
		busy = true
	}
	received := 0
	if c.busy {
		received = c.pollBusy()
	} else {
		received = c.pollIdle()
	}
	now := c.now()
	c.account(now.MonoNanos)
	if received > 0 {
		c.proc.Process(&c.burst, now)
		c.queue.TxBurst(&c.burst)
		busy = true
	}
	if c.takeHandovers(turnFrames-received, now) {
		busy = true
	}
	if c.runBatches(now) {
		busy = true
	}
	if c.proc.Runnable() {
		c.queue.Flush() // a slice is long: the replies so far must not wait for it
		c.proc.RunSlice(now)
		busy = true
	}
	if busy {
		c.lastBusy = now.MonoNanos
	}
	since := now.MonoNanos - c.lastHousekeep
	if since >= housekeepBusyNanos || since >= housekeepQuietNanos && now.MonoNanos-c.lastBusy >= quietNanos {
		c.lastHousekeep = now.MonoNanos
		c.proc.Housekeep(now)
	}
	c.busy = busy
	return busy
}

// pollBusy and pollIdle are the same poll under two names: in a profile the
// second is the time that the lcore had to spare.
//
//go:noinline
func (c *Core) pollBusy() int { return c.queue.RxBurst(&c.burst) }

//go:noinline
func (c *Core) pollIdle() int { return c.queue.RxBurst(&c.burst) }

// account books the turn that ended with the poll at nowNanos. A busy turn's time
// includes that poll, which also sent the turn's replies.
func (c *Core) account(nowNanos int64) {
	gap := nowNanos - c.lastPoll
	c.lastPoll = nowNanos
	atomic.StoreUint64(&c.turns, c.turns+1)
	if c.turns == 1 {
		return // the time until the loop began is no gap of its
	}
	c.gaps.record(gap)
	if c.busy {
		atomic.StoreUint64(&c.busyTurns, c.busyTurns+1)
		atomic.StoreUint64(&c.busyNanos, c.busyNanos+uint64(gap))
	}
}

// readMail handles every event that has been posted.
func (c *Core) readMail() {
	for !c.mailbox.empty() {
		c.mailbox.drain(mailboxBurst, c.handle)
	}
}

func (c *Core) handle(ev tenants.Event) { c.proc.HandleEvent(ev) }

// takeHandovers answers up to most frames that other lcores received for tenants
// at home here. It reports whether there were any.
func (c *Core) takeHandovers(most int, now pktproc.Clock) bool {
	any := false
	for ; most > 0; most-- {
		ring, frame := c.inbox.next()
		if ring == nil {
			break
		}
		c.proc.Deliver(frame, now)
		ring.pop()
		any = true
	}
	return any
}

// forward hands a frame to another lcore, or reports false if there is no
// room: the frame is then lost, as on a network.
func (c *Core) forward(lcore int, frame []byte) bool {
	if lcore < 0 || lcore >= len(c.outbox) || c.outbox[lcore] == nil {
		return false
	}
	return c.outbox[lcore].push(frame)
}

// run repeats Step until the core is told to stop.
func (c *Core) run(idle Strategy) {
	if idle == Poll {
		for !c.stop.Load() {
			c.Step()
		}
		return
	}
	backoff := backoff{}
	for !c.stop.Load() {
		if c.Step() {
			backoff.reset()
		} else if nanos := backoff.next(); nanos > 0 {
			c.doze(nanos)
		}
	}
}

// end finishes what runs here. It belongs to the lcore's own thread, on which
// alone suspended calls may be resumed to be killed.
func (c *Core) end() {
	c.readMail()
	c.proc.Close()
	c.runBatches(c.now())
	c.queue.Flush()
}

// CoreStats is what an lcore has done since it started.
type CoreStats struct {
	// Turns is the number of polls, BusyTurns those that found something to do.
	Turns, BusyTurns uint64
	// BusyNanos is the time spent in busy turns: over the requests served, it is
	// the cost of one.
	BusyNanos uint64
	Gaps      Gaps
	Queue     nic.Stats
}

func (c *Core) stats() CoreStats {
	return CoreStats{
		Turns:     atomic.LoadUint64(&c.turns),
		BusyTurns: atomic.LoadUint64(&c.busyTurns),
		BusyNanos: atomic.LoadUint64(&c.busyNanos),
		Gaps:      c.gaps.snapshot(),
		Queue:     c.queue.Stats(),
	}
}

package dataplane

import (
	"sync/atomic"

	"shredder/tenants"
)

// mailbox carries events from control threads to one lcore: many senders, one
// receiver, no lock. Senders push on a stack (Treiber 1986); the receiver takes
// the whole stack with one swap and walks it in the order of sending. An empty
// mailbox costs the loop one load.
type mailbox struct {
	top atomic.Pointer[letter]
}

type letter struct {
	event tenants.Event
	below *letter
}

// post may be called from any thread.
func (m *mailbox) post(ev tenants.Event) {
	l := &letter{event: ev}
	for {
		l.below = m.top.Load()
		if m.top.CompareAndSwap(l.below, l) {
			return
		}
	}
}

func (m *mailbox) empty() bool { return m.top.Load() == nil }

// drain hands every event posted so far to deliver, oldest first. Only the
// receiver calls it.
func (m *mailbox) drain(deliver func(tenants.Event)) {
	var oldest *letter
	for l := m.top.Swap(nil); l != nil; {
		below := l.below
		l.below = oldest
		oldest, l = l, below
	}
	for l := oldest; l != nil; l = l.below {
		deliver(l.event)
	}
}

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
	top  atomic.Pointer[letter]
	next *letter // taken from the stack and not handled yet, oldest first; the receiver's
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

func (m *mailbox) empty() bool { return m.next == nil && m.top.Load() == nil }

// drain hands up to most events to deliver, in the order of their posting, and
// leaves the rest for the next turn: ten thousand tenants may be installed at
// once, at tens of microseconds each. Only the receiver calls it.
func (m *mailbox) drain(most int, deliver func(tenants.Event)) {
	if m.next == nil {
		for l := m.top.Swap(nil); l != nil; {
			below := l.below
			l.below = m.next
			m.next, l = l, below
		}
	}
	for ; most > 0 && m.next != nil; most-- {
		l := m.next
		m.next = l.below
		deliver(l.event)
	}
}

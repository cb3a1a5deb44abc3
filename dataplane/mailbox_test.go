package dataplane

import (
	"sync"
	"testing"

	"shredder/tenants"
)

func TestMailboxKeepsEachSendersOrder(t *testing.T) {
	const senders, letters = 4, 10_000
	var box mailbox
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for n := range letters {
				box.post(tenants.Event{Local: &tenants.Local{ID: uint32(s), Home: n}})
			}
		})
	}
	var next [senders]int
	seen := 0
	for seen < senders*letters {
		before := seen
		box.drain(3, func(ev tenants.Event) {
			s := ev.Local.ID
			if ev.Local.Home != next[s] {
				t.Fatalf("sender %d: letter %d came where %d was due", s, ev.Local.Home, next[s])
			}
			next[s]++
			seen++
		})
		if seen > before+3 {
			t.Fatalf("%d letters in one go, 3 were asked for", seen-before)
		}
	}
	sending.Wait()
	if !box.empty() {
		t.Fatal("letters left over")
	}
}

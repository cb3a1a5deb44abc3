package dataplane

import (
	"encoding/binary"
	"runtime"
	"testing"
)

func TestHandoverKeepsOrderAndBytes(t *testing.T) {
	ring := new(handover)
	const frames = 100_000
	done := make(chan struct{})
	go func() {
		defer close(done)
		var frame [handoverSlotSize]byte
		for n := uint64(0); n < frames; {
			size := 8 + int(n*7919%(handoverSlotSize-8))
			binary.LittleEndian.PutUint64(frame[:], n)
			frame[size-1] = byte(n)
			if ring.push(frame[:size]) {
				n++
			} else {
				runtime.Gosched()
			}
		}
	}()
	for n := uint64(0); n < frames; {
		frame := ring.peek()
		if frame == nil {
			runtime.Gosched()
			continue
		}
		size := 8 + int(n*7919%(handoverSlotSize-8))
		if len(frame) != size || (size > 8 && frame[size-1] != byte(n)) || (size > 8 && binary.LittleEndian.Uint64(frame) != n) {
			t.Fatalf("frame %d came out as %d bytes, first word %d", n, len(frame), binary.LittleEndian.Uint64(frame))
		}
		ring.pop()
		n++
	}
	<-done
	if ring.peek() != nil {
		t.Fatal("a frame more than was pushed")
	}
}

func TestHandoverFullAndTooLong(t *testing.T) {
	ring := new(handover)
	for i := range handoverSlots {
		if !ring.push([]byte{byte(i)}) {
			t.Fatalf("slot %d of %d refused", i, handoverSlots)
		}
	}
	if ring.push([]byte{1}) {
		t.Fatal("a full ring took a frame")
	}
	if got := ring.peek(); len(got) != 1 || got[0] != 0 {
		t.Fatalf("peek = %v, want the oldest frame", got)
	}
	ring.pop()
	if ring.push(make([]byte, handoverSlotSize+1)) {
		t.Fatal("a frame longer than a slot was taken")
	}
	if !ring.push(make([]byte, handoverSlotSize)) {
		t.Fatal("a frame as long as a slot was refused")
	}
}

// TestInboxTakesTurns: a full ring does not keep another's frames waiting.
func TestInboxTakesTurns(t *testing.T) {
	in := inbox{rings: []*handover{new(handover), nil, new(handover), new(handover)}}
	for range handoverSlots {
		in.rings[0].push([]byte{0})
	}
	for range 3 {
		in.rings[2].push([]byte{2})
		in.rings[3].push([]byte{3})
	}
	var order []byte
	for range 3*3 + 2 {
		ring, frame := in.next()
		order = append(order, frame[0])
		ring.pop()
	}
	if want := []byte{0, 2, 3, 0, 2, 3, 0, 2, 3, 0, 0}; string(order) != string(want) {
		t.Errorf("frames came in the order %v, want %v", order, want)
	}
	for ring, _ := in.next(); ring != nil; ring, _ = in.next() {
		ring.pop()
	}
	if _, frame := in.next(); frame != nil {
		t.Error("an empty inbox has a frame")
	}
	if ring, _ := new(inbox).next(); ring != nil {
		t.Error("an lcore alone has a ring")
	}
}

package client

import (
	"testing"
	"time"
)

func TestRoundTripTimeout(t *testing.T) {
	var rtt roundTrip
	if d := rtt.timeout(); d != minRetry {
		t.Errorf("before any sample: %v", d)
	}
	for range 100 {
		rtt.sample(50 * time.Microsecond)
	}
	if d := rtt.timeout(); d != minRetry {
		t.Errorf("at 50 µs: %v", d)
	}
	for range 100 {
		rtt.sample(100 * time.Millisecond)
	}
	if d := rtt.timeout(); d < 100*time.Millisecond || d > 150*time.Millisecond {
		t.Errorf("at a steady 100 ms: %v", d)
	}
	for range 100 {
		rtt.sample(10 * time.Second)
	}
	if d := rtt.timeout(); d != maxRetry {
		t.Errorf("at 10 s: %v", d)
	}
}

func TestWindowMoves(t *testing.T) {
	s := session{next: firstSeq, first: firstSeq}
	s.next += 5 // 1 to 5 are in flight
	s.moved = make(chan struct{})
	moved := s.moved
	s.end(3)
	if s.first != 1 {
		t.Errorf("first is %d although 1 is in flight", s.first)
	}
	select {
	case <-moved:
	default:
		t.Error("nobody who waits was woken")
	}
	s.end(1)
	if s.first != 2 {
		t.Errorf("first is %d", s.first)
	}
	s.end(2)
	s.end(5)
	s.end(4)
	if s.first != 6 || s.ended != 0 {
		t.Errorf("first is %d, ended %b", s.first, s.ended)
	}
}

func TestDecimalKeys(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "7": true, "10": true, "9007199254740991": true,
		"9007199254740992": false, "99999999999999999": false, "007": false, "-1": false, "+1": false, "1e3": false, "": false, " 1": false, "1a": false, "٣": false,
	} {
		if _, ok := Key(text).Integer(); ok != want {
			t.Errorf("%q is an integer: %v", text, ok)
		}
		if Key(text) != Key([]byte(text)) || Key(text).String() != text {
			t.Errorf("%q: %v", text, Key(text))
		}
	}
	if Int(1<<53) != Key("9007199254740992") || Int(7) != Key("7") {
		t.Error("Int and Key differ")
	}
}

package resp

import (
	"fmt"
	"strings"
	"testing"

	"shredder/store"
)

// TestLongValues: values of every length go in and out whole, in a pipeline with others,
// and alone in turns that other connections share.
func TestLongValues(t *testing.T) {
	r := newRig(t, nil)
	p, q := r.dial(), r.dial()
	for _, size := range []int{0, 1, outStart - 40, outStart, outFull - 1, outFull, longArgs - 1, longArgs, longArgs + 1, 3*longArgs + 17, 4 << 20, store.MaxValueSize} {
		if testing.Short() && size > 4<<20 {
			continue
		}
		value := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		go p.nc.Write([]byte(request("SET", "before", "1") + request("SET", "long", value) + request("GET", "before") + request("GET", "long") + request("GET", "before")))
		for busy := 0; busy < 20; busy++ {
			q.wants("PING", "+PONG", "GET nothing", "nil")
		}
		if s := p.read() + p.read() + p.read(); s != `+OK+OK"1"` {
			t.Fatalf("%d bytes: %s", size, s)
		}
		if got := p.bulk(); got != value {
			t.Fatalf("%d bytes: %d came back", size, len(got))
		}
		if s := p.read(); s != `"1"` {
			t.Fatal(s)
		}
	}
	value := strings.Repeat("v", 300_000)
	p.send(request("SET", "long", value) + request("MULTI") + request("GET", "long") + request("SET", "long", "short") + request("GET", "long") + request("EXEC"))
	for range 5 {
		p.read()
	}
	if s := p.read(); s != fmt.Sprintf(`[%q +OK "short"]`, value) {
		t.Error(cut(s))
	}
	if n := r.plane.Processor(0).Counters().Tasks; n != 0 {
		t.Errorf("%d tasks left", n)
	}
}

// TestFull: a tenant whose quota is used up can read and delete.
func TestFull(t *testing.T) {
	r := newRig(t, nil)
	p := r.dial()
	p.wants("AUTH closed deploy", "+OK")
	value := strings.Repeat("v", 1<<20)
	full := ""
	for i := range 20 {
		p.send(request("SET", fmt.Sprint("k", i), value))
		if full = p.read(); full != "+OK" {
			break
		}
	}
	if !strings.HasPrefix(full, "-OOM ") {
		t.Fatal(full)
	}
	p.wants("FLUSHALL", "+OK", "SET k v", "+OK", "GET k", `"v"`)
}

func TestStrings(t *testing.T) {
	p := newRig(t, nil).dial()
	p.wants(
		"SET k v NX", "+OK",
		"SET k w NX", "nil",
		"SET none w XX", "nil",
		"SET k w XX GET", `"v"`,
		"SET k x GET EX 100", `"w"`,
		"SET new x GET", "nil",
		"SET k x EX 0", "-ERR invalid expire time in 'set' command",
		"SET k x PX -1", "-ERR invalid expire time in 'set' command",
		"SET k x EX 9223372036854775807", "-ERR invalid expire time in 'set' command",
		"SET k x EX", "-ERR syntax error",
		"SET k x EX 1 PX 1", "-ERR syntax error",
		"SET k x NX XX", "-ERR syntax error",
		"SET k x EX a", "-ERR value is not an integer or out of range",
		"SET gone x PXAT 1", "+OK",
		"GET gone", "nil",
		"MGET k none new", `["x" nil "x"]`,
		"EXISTS k k none", ":2",
		"STRLEN k", ":1",
		"DEL k none new", ":2",
		"INCR n", ":1",
		"INCRBY n 41", ":42",
		"DECR n", ":41",
		"DECRBY n 1", ":40",
		"DECRBY n -9223372036854775808", "-ERR decrement would overflow",
		"INCRBY n 9223372036854775807", "-ERR increment or decrement would overflow",
		"INCRBY n 1.5", "-ERR value is not an integer or out of range",
		"SET s text", "+OK",
		"INCR s", "-ERR value is not an integer or out of range",
		"SET '' empty", "-ERR invalid key: a key has 1 to 1024 bytes",
	)
}

package resp

import (
	"strings"
	"testing"
)

func TestMulti(t *testing.T) {
	r := newRig(t, nil)
	p, q := r.dial(), r.dial()
	p.wants(
		"EXEC", "-ERR EXEC without MULTI",
		"DISCARD", "-ERR DISCARD without MULTI",
		"MULTI", "+OK",
		"MULTI", "-ERR MULTI calls can not be nested",
		"SET k 1", "+QUEUED",
		"INCR k", "+QUEUED",
		"ECHO between", "+QUEUED",
		"JS add 1 2", "+QUEUED",
		"JS fail", "+QUEUED",
		"JS value json", "+QUEUED",
		"GET k", "+QUEUED",
		"WATCH k", "-ERR WATCH inside MULTI is not allowed",
	)
	q.wants("GET k", "nil")
	p.wants(
		"EXEC", `[+OK :2 "between" :3 -ERR Error: no luck (line 19, column 32) ["a" [:1 "2.5" "x" nil :1] "b" []] "2"]`,
		"EXEC", "-ERR EXEC without MULTI",
		"MULTI", "+OK", "EXEC", "[]",
		"MULTI", "+OK", "NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: ", "SET k 5", "+QUEUED",
		"EXEC", "-EXECABORT Transaction discarded because of previous errors.",
		"MULTI", "+OK", "GET", "-ERR wrong number of arguments for 'get' command", "DISCARD", "+OK",
		"MULTI", "+OK", "MONITOR", "-ERR Command not allowed inside a transaction", "DISCARD", "+OK",
		"GET k", `"2"`,
	)
}

func TestWatch(t *testing.T) {
	r := newRig(t, nil)
	p, q := r.dial(), r.dial()
	p.wants("SET k 1", "+OK", "WATCH k none", "+OK", "MULTI", "+OK", "INCR k", "+QUEUED", "EXEC", "[:2]")
	p.wants("WATCH k", "+OK")
	q.wants("SET k 9", "+OK")
	p.wants("MULTI", "+OK", "INCR k", "+QUEUED", "EXEC", "nil*", "GET k", `"9"`)
	p.wants("WATCH none", "+OK")
	q.wants("SET none 1", "+OK")
	p.wants("MULTI", "+OK", "EXEC", "nil*")
	p.wants("WATCH k", "+OK", "UNWATCH", "+OK")
	q.wants("SET k 1", "+OK")
	p.wants("MULTI", "+OK", "GET k", "+QUEUED", "EXEC", `["1"]`)
	p.wants("WATCH k", "+OK")
	q.wants("FLUSHALL", "+OK")
	p.wants("MULTI", "+OK", "GET k", "+QUEUED", "EXEC", "nil*", "FLUSHDB x", "-ERR syntax error")
}

// TestLongTransaction: a transaction of many commands is one to all others, although
// it takes several turns.
func TestLongTransaction(t *testing.T) {
	r := newRig(t, nil)
	p, q := r.dial(), r.dial()
	const n = 2000
	pad := strings.Repeat("x", 500)
	var text strings.Builder
	text.WriteString(request("MULTI"))
	for range n {
		text.WriteString(request("INCR", "a") + request("SET", "pad", pad) + request("INCR", "b"))
	}
	text.WriteString(request("JS", "busy", "200000") + request("INCR", "b") + request("EXEC"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.nc.Write([]byte(text.String()))
		for range 3*n + 3 {
			if _, err := p.tryRead(); err != nil {
				t.Error(err)
				return
			}
		}
		if s, err := p.tryRead(); err != nil || strings.Count(s, " ") != 3*n+1 || !strings.HasSuffix(s, ":2001]") {
			t.Error(cut(s), err)
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		q.send(request("GET", "a") + request("GET", "b"))
		a, b := q.read(), q.read()
		if a != b && !(a == `"2000"` && b == `"2001"`) && a != "nil" {
			t.Fatalf("in the middle of a transaction: %s, %s", a, b)
		}
	}
}

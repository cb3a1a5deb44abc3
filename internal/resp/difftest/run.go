package difftest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Run sends n random commands to a redis-server and to subject and compares the replies.
// Both speak a version of the protocol, which subject has been told. takes says which
// commands subject knows; nil: all.
func Run(t testing.TB, subject Peer, version int, seed uint64, n int, takes func(args []string) bool) {
	t.Helper()
	r := &runner{t: t, gen: gen{rand.New(rand.NewPCG(seed, 5))}, redis: Dial(t, "unix", Redis(t)), subject: subject}
	r.redis.Do("HELLO", strconv.Itoa(version))
	for i := 0; i < n && !t.Failed(); i++ {
		args := r.gen.command()
		if i%1000 == 999 {
			args = r.gen.brief()
		}
		if takes != nil && !takes(args) {
			continue
		}
		r.one(args)
		if i%1000 == 999 {
			time.Sleep(25 * time.Millisecond)
		}
	}
	if !t.Failed() {
		r.one([]string{"KEYS", "*"})
	}
	if t.Failed() {
		t.Logf("RESP%d, seed %d; the last commands with these keys:\n%s", version, seed, r.history())
	}
}

type runner struct {
	t       testing.TB
	gen     gen
	redis   Peer
	subject Peer
	log     [][]string
}

func (r *runner) one(args []string) {
	r.log = append(r.log, args)
	if len(r.log) > 20_000 {
		r.log = slices.Clone(r.log[10_000:])
	}
	want := r.redis.Do(args...)
	got := r.subject.Do(args...)
	if !r.same(args, want, got) {
		r.t.Errorf("%q:\nredis   %q\nsubject %q", args, want, got)
	}
}

// history is what was done last to the keys of the last command.
func (r *runner) history() string {
	last := r.log[len(r.log)-1]
	var lines []string
	for i := len(r.log) - 1; i >= 0 && len(lines) < 12; i-- {
		for _, a := range r.log[i][1:] {
			if slices.Contains(last[1:min(len(last), 3)], a) {
				lines = append(lines, fmt.Sprintf("%q", r.log[i]))
				break
			}
		}
	}
	slices.Reverse(lines)
	return strings.Join(lines, "\n")
}

// same compares two replies. What it lets pass stands in docs/redis.md, "What differs".
func (r *runner) same(args []string, want, got []byte) bool {
	if bytes.Equal(want, got) {
		return true
	}
	if len(want) == 0 || len(got) == 0 || want[0] == '-' || got[0] == '-' {
		return false
	}
	switch strings.ToUpper(args[0]) {
	case "TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME": // the two saw the command at different moments
		a, b, ok := integers(want, got)
		limit := int64(2)
		if args[0][0] == 'P' {
			limit = 2000
		}
		return ok && a > 0 && b > 0 && max(a-b, b-a) <= limit
	case "KEYS":
		a, b := bulks(want), bulks(got)
		slices.Sort(a)
		slices.Sort(b)
		return slices.Equal(a, b)
	case "SCAN":
		if args[1] != "0" { // a cursor of neither: where it leads is each one's affair
			return true
		}
		return slices.Equal(r.whole(r.redis, args, want), r.whole(r.subject, args, got))
	case "RANDOMKEY":
		a, b := bulks(want), bulks(got)
		return len(a) == 1 && len(b) == 1 && string(r.redis.Do("EXISTS", b[0])) == ":1\r\n"
	case "OBJECT": // Redis' encoding depends on how the value came about
		return string(want) == "$3\r\nraw\r\n" || string(want) == "$6\r\nembstr\r\n" && string(got) == "$3\r\nint\r\n"
	case "MEMORY": // Redis counts an expired key until it is touched
		a, b, ok := integers(want, got)
		if got[0] != ':' {
			return string(r.redis.Do("EXISTS", args[2])) == ":0\r\n"
		}
		return ok && a > 0 && b > 0
	}
	return false
}

// whole goes on with a scan until its end and returns the keys in order, each once.
func (r *runner) whole(peer Peer, args []string, reply []byte) (keys []string) {
	for range 10_000 {
		all := bulks(reply)
		keys = append(keys, all[1:]...)
		if all[0] == "0" {
			slices.Sort(keys)
			return slices.Compact(keys)
		}
		args = slices.Clone(args)
		args[1] = all[0]
		reply = peer.Do(args...)
	}
	r.t.Errorf("%q does not end", args)
	return nil
}

func integers(a, b []byte) (x, y int64, ok bool) {
	x, err1 := strconv.ParseInt(strings.TrimSpace(string(a[1:])), 10, 64)
	y, err2 := strconv.ParseInt(strings.TrimSpace(string(b[1:])), 10, 64)
	return x, y, a[0] == ':' && b[0] == ':' && err1 == nil && err2 == nil
}

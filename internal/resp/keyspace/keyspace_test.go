package keyspace

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"shredder/store"
)

// TestWhatDiffers holds the differences from Redis that docs/redis.md lists.
func TestWhatDiffers(t *testing.T) {
	d := newDirect(t, 2)
	const badKey = "-ERR invalid key: a key has 1 to 1024 bytes\r\n"
	const tooLong = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"
	long := strings.Repeat("k", store.MaxKeyLen+1)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"SET", "", "v"}, badKey},
		{[]string{"SET", long, "v"}, badKey},
		{[]string{"GET", ""}, "$-1\r\n"},
		{[]string{"DEL", "", long}, ":0\r\n"},
		{[]string{"EXPIRE", "", "10"}, ":0\r\n"},
		{[]string{"MSET", "a", "1", "", "2"}, badKey},
		{[]string{"EXISTS", "a"}, ":0\r\n"},
		{[]string{"INCR", ""}, badKey},
		{[]string{"APPEND", "", "v"}, badKey},
		{[]string{"SETBIT", long, "1", "1"}, badKey},
		{[]string{"SET", "k", "v"}, "+OK\r\n"},
		{[]string{"RENAME", "k", ""}, badKey},
		{[]string{"COPY", "k", ""}, badKey},
		{[]string{"GET", "k"}, "$1\r\nv\r\n"},
		{[]string{"SETRANGE", "k", "16777216", "v"}, tooLong},
		{[]string{"SETBIT", "k", "134217728", "1"}, tooLong},
		{[]string{"SET", "k", strings.Repeat("v", store.MaxValueSize+1)}, tooLong},
		{[]string{"COPY", "k", "l", "DB", "1"}, "-ERR DB index is out of range\r\n"},
		{[]string{"APPEND", "n", "12"}, ":2\r\n"},
		{[]string{"OBJECT", "ENCODING", "n"}, "$3\r\nint\r\n"},
		{[]string{"MEMORY", "USAGE", "n"}, ":48\r\n"},
		{[]string{"SET", "a", strings.Repeat("a", 5000)}, "+OK\r\n"},
		{[]string{"LCS", "a", "a", "LEN"}, "-ERR Insufficient memory, the table of LCS would have more than 64 MiB\r\n"},
	} {
		if got := string(d.Do(c.args...)); got != c.want {
			t.Errorf("%.80q: %.200q, want %q", c.args, got, c.want)
		}
	}
}

// TestLongCommandsPause: no piece of a long command moves more than a turn may, and one that
// is told to end does.
func TestLongCommandsPause(t *testing.T) {
	d := newDirect(t, 2)
	pairs := []string{"MSET"}
	for i := range 10_000 {
		pairs = append(pairs, fmt.Sprint("key", i), "v")
	}
	d.Do(pairs...)
	d.Do("SETRANGE", "big", fmt.Sprint(4<<20), "x")
	keys := []string{"DEL"}
	for i := range 10_000 {
		keys = append(keys, fmt.Sprint("key", i))
	}
	mget := append([]string{"MGET"}, keys[1:]...)
	exists := append([]string{"EXISTS"}, keys[1:]...)
	for _, c := range []struct {
		args  []string
		least int
	}{
		{pairs, 19}, {mget, 19}, {exists, 19}, {[]string{"KEYS", "*"}, 20}, {[]string{"SCAN", "0", "COUNT", "100000"}, 20},
		{[]string{"BITCOUNT", "big"}, 64}, {[]string{"BITPOS", "big", "1"}, 60}, {keys, 19},
	} {
		d.pauses = 0
		d.Do(c.args...)
		if d.pauses < c.least {
			t.Errorf("%s paused %d times, want %d", c.args[0], d.pauses, c.least)
		}
	}
	ends := 0
	d.db.Pause = func() bool { ends++; return false }
	for _, args := range [][]string{pairs, mget, {"KEYS", "*"}, {"BITCOUNT", "big"}, {"BITPOS", "big", "1"}, keys} {
		ends = 0
		if d.Do(args...); ends > 1 {
			t.Errorf("%s went on after its end", args[0])
		}
	}
}

// TestMatch holds Match to a table and to a bound on its work.
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"a*c", "abbc", true}, {"a*c", "abbd", false}, {"a?c", "abc", true},
		{"[a-c]x", "bx", true}, {"[c-a]x", "bx", true}, {"[^a-c]x", "bx", false}, {"[^a-c]x", "dx", true}, {"\\*", "*", true},
		{"\\*", "a", false}, {"a\\", "a\\", true}, {"[", "a", false}, {"[a", "a", true}, {"[^", "a", true}, {"[]a]", "]", false},
		{"[\\]a]", "]", true}, {"[a-", "-", true}, {"*a*b*c", "xaybzc", true}, {"**", "abc", true}, {"?", "", false},
	} {
		if got := Match([]byte(c.pattern), []byte(c.name)); got != c.want {
			t.Errorf("%q, %q: %v", c.pattern, c.name, got)
		}
	}
	begin := time.Now()
	Match([]byte(strings.Repeat("*a", 500)+"b"), []byte(strings.Repeat("a", store.MaxKeyLen)))
	if d := time.Since(begin); d > time.Second {
		t.Errorf("took %v", d)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("k[^1-3]*", "k4")
	f.Add("*\\", "a\\")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 1024 || len(name) > 1024 {
			return
		}
		if Match([]byte(pattern), []byte(name)) && !Match([]byte("*"+pattern), []byte(name)) {
			t.Errorf("a star before %q loses %q", pattern, name)
		}
	})
}

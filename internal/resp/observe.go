package resp

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func moreArgs(n int) string { return fmt.Sprintf("... (%d more arguments)", n) }

func cutArg(a []byte) string {
	if len(a) > slowArg {
		return string(a[:slowArg]) + fmt.Sprintf("... (%d more bytes)", len(a)-slowArg)
	}
	return string(a)
}

// slowlogCommand executes SLOWLOG.
func (c *conn) slowlogCommand(args [][]byte) {
	sp, w := c.space, &c.w
	switch {
	case is(args[1], "LEN"):
		if c.wants(args, 2, 2) {
			sp.mu.Lock()
			w.Int(int64(len(sp.slow)))
			sp.mu.Unlock()
		}
	case is(args[1], "RESET"):
		if c.wants(args, 2, 2) {
			sp.mu.Lock()
			sp.slow = nil
			sp.mu.Unlock()
			w.Simple("OK")
		}
	case is(args[1], "GET"):
		count := 10
		if len(args) > 3 {
			c.w.Error(wrongArity("slowlog|get"))
			return
		}
		if len(args) == 3 {
			n, err := strconv.Atoi(string(args[2]))
			if err != nil || n < -1 {
				w.Error("ERR count should be greater than or equal to -1")
				return
			}
			if count = n; n < 0 {
				count = slowlogMax
			}
		}
		c.slowlogGet(count)
	default:
		c.unknownSub(args)
	}
}

func (c *conn) slowlogGet(count int) {
	sp, w := c.space, &c.w
	sp.mu.Lock()
	defer sp.mu.Unlock()
	n := min(count, len(sp.slow))
	w.Array(n)
	for _, e := range slices.Backward(sp.slow[len(sp.slow)-n:]) {
		w.Array(6)
		w.Int(e.id)
		w.Int(e.unix)
		w.Int(e.nanos / 1000)
		w.Array(len(e.args))
		for _, a := range e.args {
			w.BulkString(a)
		}
		w.BulkString(e.address)
		w.BulkString(e.name)
	}
}

// latencyCommand executes LATENCY.
func (c *conn) latencyCommand(args [][]byte) {
	w := &c.w
	switch {
	case is(args[1], "HISTOGRAM"):
		c.latencyHistogram(args[2:])
	case is(args[1], "LATEST") && len(args) == 2:
		w.Array(0) // no event is watched
	case is(args[1], "RESET"):
		w.Int(0)
	case is(args[1], "HISTORY"):
		if c.wants(args, 3, 3) {
			w.Array(0)
		}
	default:
		c.unknownSub(args)
	}
}

func (c *conn) latencyHistogram(names [][]byte) {
	sp, w := c.space, &c.w
	sp.mu.Lock()
	defer sp.mu.Unlock()
	var shown []*command
	if len(names) == 0 {
		for cmd := range sp.timing {
			shown = append(shown, cmd)
		}
	}
	for _, name := range names {
		if cmd := find(name); cmd != nil && sp.timing[cmd] != nil {
			shown = append(shown, cmd)
		}
	}
	slices.SortFunc(shown, func(a, b *command) int { return strings.Compare(a.name, b.name) })
	w.Map(len(shown))
	for _, cmd := range shown {
		h := sp.timing[cmd]
		w.BulkString(cmd.name)
		w.Map(2)
		w.BulkString("calls")
		w.Int(int64(h.calls))
		w.BulkString("histogram_usec")
		rows := 0
		for _, n := range h.buckets {
			if n != 0 {
				rows++
			}
		}
		w.Map(rows)
		sum := uint64(0)
		for i, n := range h.buckets {
			if sum += n; n != 0 {
				w.Int(1 << i)
				w.Int(int64(sum)) // cumulative, as in Redis
			}
		}
	}
}

// observe is called for every command before it is executed.
func (c *conn) observe(cmd *command, args [][]byte) {
	c.last.Store(cmd)
	c.counted++
	if sp := c.space; sp != nil {
		if all := sp.monitors.Load(); all != nil && !cmd.secret {
			c.tell(*all, args)
		}
	}
}

// appendQuoted writes an argument as Redis' sdscatrepr does.
func appendQuoted(b, a []byte) []byte {
	b = append(b, '"')
	for _, ch := range a {
		switch {
		case ch == '\\' || ch == '"':
			b = append(b, '\\', ch)
		case ch == '\n':
			b = append(b, `\n`...)
		case ch == '\r':
			b = append(b, `\r`...)
		case ch == '\t':
			b = append(b, `\t`...)
		case ch == '\a':
			b = append(b, `\a`...)
		case ch == '\b':
			b = append(b, `\b`...)
		case ch >= ' ' && ch <= '~':
			b = append(b, ch)
		default:
			b = fmt.Appendf(b, `\x%02x`, ch)
		}
	}
	return append(b, '"')
}

package resp

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	textBadName = "ERR Client names cannot contain spaces, newlines or special characters."
	textSyntax  = "ERR syntax error"
)

// clientInfo is what CLIENT LIST shows of a connection. Other connections read it.
type clientInfo struct {
	since int64 // Unix ns, constant

	mu                     sync.Mutex
	name, library, version string
	protocol               int
}

func (i *clientInfo) setName(name string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.name = name
}

func (i *clientInfo) getName() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.name
}

func (i *clientInfo) reset() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.name = ""
}

// validClientName says whether a name is printable without spaces.
func validClientName(b []byte) bool {
	for _, ch := range b {
		if ch < '!' || ch > '~' {
			return false
		}
	}
	return true
}

// line describes the connection as CLIENT LIST does. The figures that a server of
// another make does not have are the ones an idle client of Redis shows.
func (c *conn) line(now time.Time) string {
	i := &c.info
	i.mu.Lock()
	defer i.mu.Unlock()
	flags, tenant := "N", ""
	if l := c.of.Load(); l != nil {
		tenant = l.Name
	}
	if c.monitor.Load() != nil {
		flags = "O"
	}
	return fmt.Sprintf("id=%d addr=%s laddr=%s fd=-1 name=%s age=%d idle=%d flags=%s db=0 sub=0 psub=0 ssub=0 multi=-1 "+
		"qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=%s user=%s redir=-1 resp=%d lib-name=%s lib-ver=%s",
		c.id, c.addr, c.nc.LocalAddr(), i.name, (now.UnixNano()-i.since)/1e9, (now.UnixNano()-c.seen.Load())/1e9, flags,
		c.lastCommand(), tenant, i.protocol, i.library, i.version)
}

// lastCommand is the name of the last command.
func (c *conn) lastCommand() string {
	if cmd := c.last.Load(); cmd != nil {
		return cmd.name
	}
	return "NULL"
}

// client executes CLIENT.
func (c *conn) client(args [][]byte) {
	switch w := &c.w; {
	case is(args[1], "ID"):
		if c.wants(args, 2, 2) {
			w.Int(int64(c.id))
		}
	case is(args[1], "GETNAME"):
		if !c.wants(args, 2, 2) {
			return
		}
		if name := c.info.getName(); name != "" {
			w.BulkString(name)
		} else {
			w.Null()
		}
	case is(args[1], "SETNAME"):
		switch {
		case !c.wants(args, 3, 3):
		case !validClientName(args[2]):
			w.Error(textBadName)
		default:
			c.info.setName(string(args[2]))
			w.Simple("OK")
		}
	case is(args[1], "SETINFO"):
		if c.wants(args, 4, 4) {
			c.setInfo(args[2], args[3])
		}
	case is(args[1], "INFO"):
		if c.wants(args, 2, 2) {
			w.Verbatim("txt", c.line(time.Now())+"\n")
		}
	case is(args[1], "LIST"):
		c.clientList(args)
	case is(args[1], "NO-EVICT"), is(args[1], "NO-TOUCH"):
		switch {
		case !c.wants(args, 3, 3):
		case is(args[2], "ON"), is(args[2], "OFF"):
			w.Simple("OK") // nobody is evicted, nothing ages
		default:
			w.Error(textSyntax)
		}
	case is(args[1], "KILL"):
		if c.wants(args, 3, -1) {
			c.clientKill(args)
		}
	default:
		c.unknownSub(args)
	}
}

func (c *conn) setInfo(option, value []byte) {
	i := &c.info
	i.mu.Lock()
	defer i.mu.Unlock()
	var field *string
	switch {
	case is(option, "LIB-NAME"):
		field = &i.library
	case is(option, "LIB-VER"):
		field = &i.version
	default:
		c.w.Error("ERR Unrecognized option '" + oneLine(option) + "'")
		return
	}
	if !validClientName(value) {
		c.w.Error("ERR " + strings.ToLower(string(option)) + " cannot contain spaces, newlines or special characters.")
		return
	}
	*field = string(value)
	c.w.Simple("OK")
}

// clientList executes CLIENT LIST: the connections of the tenant.
func (c *conn) clientList(args [][]byte) {
	kind, ids := "", map[uint64]bool(nil)
	switch {
	case len(args) == 2:
	case len(args) == 4 && is(args[2], "TYPE"):
		kind = strings.ToLower(string(args[3]))
		if kind != "normal" && kind != "master" && kind != "replica" && kind != "slave" && kind != "pubsub" {
			c.w.Error("ERR Unknown client type '" + oneLine(args[3]) + "'")
			return
		}
	case len(args) > 3 && is(args[2], "ID"):
		ids = map[uint64]bool{}
		for _, a := range args[3:] {
			id, err := strconv.ParseUint(string(a), 10, 63)
			if err != nil || id == 0 {
				c.w.Error("ERR Invalid client ID")
				return
			}
			ids[id] = true
		}
	default:
		c.w.Error(textSyntax)
		return
	}
	now := time.Now()
	var text strings.Builder
	if kind == "" || kind == "normal" {
		for _, other := range c.siblings() {
			if ids == nil || ids[other.id] {
				text.WriteString(other.line(now))
				text.WriteByte('\n')
			}
		}
	}
	c.w.Verbatim("txt", text.String())
}

// siblings returns the connections of the same tenant by id.
func (c *conn) siblings() []*conn {
	return c.s.connsOf(c.local)
}

// clientKill executes CLIENT KILL, in the old form (an address) and the new one
// (filters), for connections of the same tenant.
func (c *conn) clientKill(args [][]byte) {
	if len(args) == 3 {
		for _, other := range c.siblings() {
			if other.addr == string(args[2]) {
				c.cut(other)
				c.w.Simple("OK")
				return
			}
		}
		c.w.Error("ERR No such client")
		return
	}
	match, skipMe := []func(*conn) bool{}, true
	for i := 2; i < len(args); i += 2 {
		if i+1 == len(args) {
			c.w.Error(textSyntax)
			return
		}
		value := string(args[i+1])
		switch {
		case is(args[i], "ID"):
			id, err := strconv.ParseUint(value, 10, 63)
			if err != nil || id == 0 {
				c.w.Error("ERR client-id should be greater than 0")
				return
			}
			match = append(match, func(o *conn) bool { return o.id == id })
		case is(args[i], "ADDR"):
			match = append(match, func(o *conn) bool { return o.addr == value })
		case is(args[i], "LADDR"):
			match = append(match, func(o *conn) bool { return o.nc.LocalAddr().String() == value })
		case is(args[i], "USER"):
			match = append(match, func(*conn) bool { return value == c.local.Name })
		case is(args[i], "TYPE"):
			match = append(match, func(*conn) bool { return strings.EqualFold(value, "normal") })
		case is(args[i], "SKIPME") && (is(args[i+1], "YES") || is(args[i+1], "NO")):
			skipMe = is(args[i+1], "YES")
		default:
			c.w.Error(textSyntax)
			return
		}
	}
	killed := 0
	for _, other := range c.siblings() {
		matches := !(skipMe && other == c)
		for _, m := range match {
			matches = matches && m(other)
		}
		if matches {
			c.cut(other)
			killed++
		}
	}
	c.w.Int(int64(killed))
}

// cut ends a connection; its own only after the reply.
func (c *conn) cut(other *conn) {
	if other == c {
		c.quitting = true
		return
	}
	other.nc.Close()
}

// is compares an argument with a word in capitals, in any case.
func is(arg []byte, word string) bool {
	return len(arg) == len(word) && bytes.EqualFold(arg, []byte(word))
}

// oneLine is an argument as it may stand in an error.
func oneLine(arg []byte) string {
	if len(arg) > 128 {
		arg = arg[:128]
	}
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(string(arg))
}

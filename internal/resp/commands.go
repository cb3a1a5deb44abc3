package resp

import (
	"strings"

	"shredder/internal/resp/keyspace"
	"shredder/pktproc"
)

// command is what a name stands for: code that runs on the connection's goroutine
// (local), or on the tenant's lcore (remote, or data of the keyspace).
type command struct {
	name        string // in small letters
	arity       int    // with the name; negative: at least so many
	flags       keyspace.Flag
	first, last int // of the arguments that are keys
	step        int
	container   bool // its first argument names a subcommand
	early       bool // allowed without a tenant
	noMulti     bool // not allowed in a transaction
	secret      bool // not shown to those who monitor
	call        bool // calls a function
	keys        bool // a call whose arguments begin with a number of keys
	readOnly    bool // a call that must not write
	inMulti     bool // executed at once, also between MULTI and EXEC
	summary     string

	local  func(c *conn, args [][]byte)
	remote func(r *run, x *pktproc.Exec, it *item) pktproc.BatchStep
	data   *keyspace.Command
	values values
}

// table holds every command by its name in small letters.
var table = map[string]*command{}

func init() {
	for i := range sessionCommands {
		cmd := &sessionCommands[i]
		table[cmd.name] = cmd
	}
	for _, k := range keyspace.Commands() {
		name := strings.ToLower(k.Name)
		if table[name] == nil {
			table[name] = &command{name: name, arity: k.Arity, flags: k.Flags, first: k.First, last: k.Last, step: k.Step, data: k, values: valuesOf[name]}
		}
	}
}

var sessionCommands = []command{
	{name: "ping", arity: -1, flags: keyspace.Fast, local: (*conn).ping, summary: "Returns the server's liveliness response."},
	{name: "echo", arity: 2, flags: keyspace.Fast, local: (*conn).echo, summary: "Returns the given string."},
	{name: "quit", arity: -1, flags: keyspace.Fast, early: true, inMulti: true, local: (*conn).quit, summary: "Closes the connection."},
	{name: "hello", arity: -1, flags: keyspace.Fast, early: true, noMulti: true, secret: true, local: (*conn).hello, summary: "Handshakes with the server."},
	{name: "auth", arity: -2, flags: keyspace.Fast, early: true, noMulti: true, secret: true, local: (*conn).auth, summary: "Authenticates the connection."},
	{name: "reset", arity: 1, flags: keyspace.Fast, early: true, inMulti: true, local: (*conn).reset, summary: "Resets the connection."},
	{name: "select", arity: 2, flags: keyspace.Fast, local: (*conn).selectDB, summary: "Changes the selected database."},
	{name: "client", arity: -2, container: true, local: (*conn).client, summary: "A container for client connection commands."},
	{name: "command", arity: -1, local: (*conn).command, summary: "Returns detailed information about all commands."},
	{name: "config", arity: -2, container: true, local: (*conn).config, summary: "A container for server configuration commands."},
	{name: "info", arity: -1, local: (*conn).infoCommand, summary: "Returns information and statistics about the server."},
	{name: "time", arity: 1, flags: keyspace.Fast, local: (*conn).time, summary: "Returns the server time."},
	{name: "multi", arity: 1, flags: keyspace.Fast, inMulti: true, local: (*conn).multiCommand, summary: "Starts a transaction."},
	{name: "exec", arity: 1, inMulti: true, local: (*conn).execCommand, summary: "Executes all commands in a transaction."},
	{name: "discard", arity: 1, flags: keyspace.Fast, inMulti: true, local: (*conn).discardCommand, summary: "Discards a transaction."},
	{name: "watch", arity: -2, flags: keyspace.Fast, first: 1, last: -1, step: 1, inMulti: true, local: (*conn).watchCommand, summary: "Monitors changes to keys to determine the execution of a transaction."},
	{name: "unwatch", arity: 1, flags: keyspace.Fast, local: (*conn).unwatchCommand, summary: "Forgets about watched keys of a transaction."},
	{name: "monitor", arity: 1, noMulti: true, secret: true, local: (*conn).monitorCommand, summary: "Listens for all requests of the tenant in real-time."},
	{name: "slowlog", arity: -2, container: true, local: (*conn).slowlogCommand, summary: "A container for slow log commands."},
	{name: "latency", arity: -2, container: true, local: (*conn).latencyCommand, summary: "A container for latency diagnostics commands."},
	{name: "function", arity: -2, container: true, local: (*conn).functionCommand, summary: "A container for function commands."},
	{name: "fcall", arity: -3, call: true, keys: true, remote: (*run).fcall, summary: "Invokes a function."},
	{name: "fcall_ro", arity: -3, flags: keyspace.ReadOnly, call: true, keys: true, readOnly: true, remote: (*run).fcall, summary: "Invokes a read-only function."},
	{name: "js", arity: -2, call: true, remote: (*run).fcall, summary: "Invokes a function with arguments only, as the original Shredder did."},
	{name: "flushdb", arity: -1, flags: keyspace.Write, remote: (*run).flushAll, summary: "Removes all keys from the current database."},
	{name: "flushall", arity: -1, flags: keyspace.Write, remote: (*run).flushAll, summary: "Removes all keys from all databases."},
}

// find looks a name up, in any case, without allocating.
func find(name []byte) *command {
	var small [24]byte
	if len(name) > len(small) {
		return nil
	}
	for i, ch := range name {
		if ch >= 'A' && ch <= 'Z' {
			ch += 'a' - 'A'
		}
		small[i] = ch
	}
	return table[string(small[:len(name)])]
}

// fits says whether a command may have so many arguments.
func (cmd *command) fits(n int) bool {
	return n == cmd.arity || cmd.arity < 0 && n >= -cmd.arity
}

func wrongArity(name string) string {
	return "ERR wrong number of arguments for '" + name + "' command"
}

// dispatch executes a command, or puts it into the batch or the transaction.
func (c *conn) dispatch(args [][]byte) {
	cmd := find(args[0])
	switch {
	case cmd == nil:
		c.reject(unknownCommand(args))
	case !cmd.fits(len(args)):
		c.reject(wrongArity(cmd.name))
	case c.local == nil && !cmd.early:
		c.reject(textNoAuth)
	case c.multi.open && !cmd.inMulti:
		c.enqueue(cmd, args)
	case cmd.local != nil:
		c.run.flush()
		c.observe(cmd, args)
		cmd.local(c, args)
	default:
		c.observe(cmd, args)
		c.run.add(cmd, args)
	}
}

// reject answers a command that is not executed. A transaction that was to hold
// it will not be executed either.
func (c *conn) reject(text string) {
	c.run.flush()
	c.multi.broken = true
	c.w.Error(text)
}

func unknownCommand(args [][]byte) string {
	var rest strings.Builder
	for _, a := range args[1:] {
		if rest.Len() >= 128 {
			break
		}
		if room := 128 - rest.Len(); len(a) > room {
			a = a[:room]
		}
		rest.WriteString("'" + string(a) + "' ")
	}
	return "ERR unknown command '" + oneLine(args[0]) + "', with args beginning with: " +
		strings.NewReplacer("\r", " ", "\n", " ").Replace(rest.String())
}

// unknownSub answers a subcommand that a container does not have.
func (c *conn) unknownSub(args [][]byte) {
	c.w.Error("ERR unknown subcommand '" + oneLine(args[1]) + "'. Try " + strings.ToUpper(string(args[0])) + " HELP.")
}

// wants checks a subcommand's number of arguments; most < 0: no upper end.
func (c *conn) wants(args [][]byte, least, most int) bool {
	if len(args) >= least && (most < 0 || len(args) <= most) {
		return true
	}
	c.w.Error(wrongArity(strings.ToLower(string(args[0]) + "|" + string(args[1]))))
	return false
}

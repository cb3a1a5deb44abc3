package resp

import (
	"path"
	"slices"
	"strings"

	"shredder/internal/resp/proto"
)

// command executes COMMAND.
func (c *conn) command(args [][]byte) {
	w := &c.w
	switch {
	case len(args) == 1:
		all := allCommands()
		w.Array(len(all))
		for _, cmd := range all {
			cmd.describe(w)
		}
	case is(args[1], "COUNT"):
		if c.wants(args, 2, 2) {
			w.Int(int64(len(table)))
		}
	case is(args[1], "INFO"):
		c.commandInfo(args[2:])
	case is(args[1], "DOCS"):
		c.commandDocs(args[2:])
	case is(args[1], "LIST"):
		c.commandList(args[2:])
	case is(args[1], "GETKEYS"):
		if c.wants(args, 3, -1) {
			c.commandGetKeys(args[2:])
		}
	default:
		c.unknownSub(args)
	}
}

func allCommands() []*command {
	all := make([]*command, 0, len(table))
	for _, cmd := range table {
		all = append(all, cmd)
	}
	slices.SortFunc(all, func(a, b *command) int { return strings.Compare(a.name, b.name) })
	return all
}

// describe answers as COMMAND does: name, arity, flags, keys, categories, tips, key
// specifications and subcommands.
func (cmd *command) describe(w *proto.Writer) {
	w.Array(10)
	w.BulkString(cmd.name)
	w.Int(int64(cmd.arity))
	flags := cmd.flags.Names()
	w.Set(len(flags))
	for _, f := range flags {
		w.Simple(f)
	}
	w.Int(int64(cmd.first))
	w.Int(int64(cmd.last))
	w.Int(int64(cmd.step))
	w.Set(0)
	w.Array(0)
	w.Array(0)
	w.Array(0)
}

func (c *conn) commandInfo(names [][]byte) {
	w := &c.w
	if len(names) == 0 {
		all := allCommands()
		w.Array(len(all))
		for _, cmd := range all {
			cmd.describe(w)
		}
		return
	}
	w.Array(len(names))
	for _, name := range names {
		if cmd := find(name); cmd != nil {
			cmd.describe(w)
		} else {
			w.NullArray()
		}
	}
}

func (c *conn) commandDocs(names [][]byte) {
	var shown []*command
	if len(names) == 0 {
		shown = allCommands()
	}
	for _, name := range names {
		if cmd := find(name); cmd != nil {
			shown = append(shown, cmd)
		}
	}
	w := &c.w
	w.Map(len(shown))
	for _, cmd := range shown {
		w.BulkString(cmd.name)
		w.Map(2)
		w.BulkString("summary")
		w.BulkString(cmd.summary)
		w.BulkString("group")
		w.BulkString(cmd.group())
	}
}

func (cmd *command) group() string {
	switch {
	case cmd.call || cmd.name == "function":
		return "scripting"
	case cmd.data != nil && cmd.first == 0:
		return "generic"
	case cmd.data != nil:
		return "string"
	case strings.HasSuffix(cmd.name, "multi") || strings.HasSuffix(cmd.name, "watch") || cmd.name == "exec" || cmd.name == "discard":
		return "transactions"
	case cmd.early || cmd.name == "client" || cmd.name == "ping" || cmd.name == "echo" || cmd.name == "select":
		return "connection"
	}
	return "server"
}

// commandList executes COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern].
func (c *conn) commandList(args [][]byte) {
	keep := func(*command) bool { return true }
	switch {
	case len(args) == 0:
	case len(args) != 3 || !is(args[0], "FILTERBY"):
		c.w.Error(textSyntax)
		return
	case is(args[1], "PATTERN"):
		keep = func(cmd *command) bool {
			ok, err := path.Match(strings.ToLower(string(args[2])), cmd.name)
			return err == nil && ok
		}
	case is(args[1], "MODULE"), is(args[1], "ACLCAT"):
		keep = func(*command) bool { return false }
	default:
		c.w.Error(textSyntax)
		return
	}
	names := []string{}
	for _, cmd := range allCommands() {
		if keep(cmd) {
			names = append(names, cmd.name)
		}
	}
	c.w.Array(len(names))
	for _, n := range names {
		c.w.BulkString(n)
	}
}

func (c *conn) commandGetKeys(args [][]byte) {
	cmd := find(args[0])
	switch {
	case cmd == nil:
		c.w.Error("ERR Invalid command specified")
		return
	case !cmd.fits(len(args)):
		c.w.Error("ERR Invalid number of arguments specified for command")
		return
	}
	keys, ok := cmd.keysOf(args)
	if !ok {
		c.w.Error("ERR Invalid arguments specified for command")
		return
	}
	if len(keys) == 0 {
		c.w.Error("ERR The command has no key arguments")
		return
	}
	c.w.Array(len(keys))
	for _, k := range keys {
		c.w.Bulk(k)
	}
}

// keysOf returns the arguments that are keys.
func (cmd *command) keysOf(args [][]byte) (keys [][]byte, ok bool) {
	if cmd.keys {
		it := item{cmd: cmd, args: args}
		if it.prepare(); it.call.refusal != "" {
			return nil, false
		}
		n, _ := canonicalInt(args[2])
		return args[3 : 3+n], true
	}
	if cmd.first == 0 {
		return nil, true
	}
	last := cmd.last
	if last < 0 {
		last += len(args)
	}
	for i := cmd.first; i <= last && i < len(args); i += max(cmd.step, 1) {
		keys = append(keys, args[i])
	}
	return keys, true
}

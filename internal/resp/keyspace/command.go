// Package keyspace is the commands of the Redis front door that work on a tenant's
// data. They run on the tenant's home lcore, in the turn that executes their batch,
// and borrow their arguments for that long.
package keyspace

import (
	"shredder/internal/resp/proto"
	"shredder/store"
)

// DB is what commands work on.
type DB struct {
	Shard     *store.Shard
	NowMillis int64 // judges expiry
}

// Flag is what COMMAND says of a command.
type Flag uint32

const (
	Write Flag = 1 << iota
	ReadOnly
	DenyOOM
	Fast
)

var flagNames = [...]string{"write", "readonly", "denyoom", "fast"}

// Names are the flags as COMMAND spells them.
func (f Flag) Names() (names []string) {
	for i, name := range flagNames {
		if f>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Command is one command. args[0] is its name.
type Command struct {
	Name              string
	Arity             int // of arguments with the name; negative: at least so many
	Flags             Flag
	First, Last, Step int // which arguments are keys
	Run               func(db *DB, args [][]byte, w *proto.Writer)
}

var commands = []Command{
	{"GET", 2, ReadOnly | Fast, 1, 1, 1, get},
	{"SET", -3, Write | DenyOOM, 1, 1, 1, set},
	{"DEL", -2, Write, 1, -1, 1, del},
	{"UNLINK", -2, Write | Fast, 1, -1, 1, del},
	{"EXISTS", -2, ReadOnly | Fast, 1, -1, 1, exists},
	{"STRLEN", 2, ReadOnly | Fast, 1, 1, 1, strlen},
	{"MGET", -2, ReadOnly | Fast, 1, -1, 1, mget},
	{"INCR", 2, Write | DenyOOM | Fast, 1, 1, 1, incr},
	{"DECR", 2, Write | DenyOOM | Fast, 1, 1, 1, decr},
	{"INCRBY", 3, Write | DenyOOM | Fast, 1, 1, 1, incrBy},
	{"DECRBY", 3, Write | DenyOOM | Fast, 1, 1, 1, decrBy},
	{"DBSIZE", 1, ReadOnly | Fast, 0, 0, 0, dbsize},
}

// Commands returns every command.
func Commands() []*Command {
	all := make([]*Command, len(commands))
	for i := range commands {
		all[i] = &commands[i]
	}
	return all
}

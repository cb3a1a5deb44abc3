// Package keyspace is the commands of the Redis front door that work on a tenant's
// data. They run on the tenant's home lcore, in the turn that executes their batch,
// and borrow their arguments for that long.
package keyspace

import (
	"shredder/internal/resp/proto"
	"shredder/store"
)

// DB is what commands work on. Its NowMillis holds for a whole command.
type DB struct {
	Shard     *store.Shard
	NowMillis int64 // judges expiry
	// Pause, if not nil, gives the lcore to others in the middle of a command. The tenant's
	// data must not change meanwhile. false: the command is to end; what it has
	// written is no reply and is not looked at.
	Pause func() bool

	spent int     // bytes moved since the last pause
	keys  []byte  // of KEYS and SCAN, as bulk strings
	bit   [1]byte // what SETBIT writes
}

// What a command moves or looks at between two pauses.
const (
	turnBytes = 64 << 10
	turnKeys  = 512
)

// spend books bytes that were moved and pauses when a turn's are used up. false: end.
func (db *DB) spend(bytes int) bool {
	if db.spent += bytes; db.spent < turnBytes || db.Pause == nil {
		return true
	}
	db.spent = 0
	return db.Pause()
}

// Flag is what COMMAND says of a command.
type Flag uint32

const (
	Write Flag = 1 << iota
	ReadOnly
	DenyOOM
	Fast
	// Long is not for COMMAND: the command's work grows with the table or the number of its
	// keys, so it wants Pause.
	Long
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
	{"APPEND", 3, Write | DenyOOM | Fast, 1, 1, 1, appendTo},
	{"BITCOUNT", -2, ReadOnly, 1, 1, 1, bitcount},
	{"BITPOS", -3, ReadOnly, 1, 1, 1, bitpos},
	{"COPY", -3, Write | DenyOOM, 1, 2, 1, copyKey},
	{"DBSIZE", 1, ReadOnly | Fast, 0, 0, 0, dbsize},
	{"DECR", 2, Write | DenyOOM | Fast, 1, 1, 1, decr},
	{"DECRBY", 3, Write | DenyOOM | Fast, 1, 1, 1, decrBy},
	{"DEL", -2, Write, 1, -1, 1, del},
	{"EXISTS", -2, ReadOnly | Fast, 1, -1, 1, exists},
	{"EXPIRE", -3, Write | Fast, 1, 1, 1, expire},
	{"EXPIREAT", -3, Write | Fast, 1, 1, 1, expireat},
	{"EXPIRETIME", 2, ReadOnly | Fast, 1, 1, 1, expiretime},
	{"GET", 2, ReadOnly | Fast, 1, 1, 1, get},
	{"GETBIT", 3, ReadOnly | Fast, 1, 1, 1, getbit},
	{"GETDEL", 2, Write | Fast, 1, 1, 1, getdel},
	{"GETEX", -2, Write | Fast, 1, 1, 1, getex},
	{"GETRANGE", 4, ReadOnly, 1, 1, 1, getrange},
	{"GETSET", 3, Write | DenyOOM | Fast, 1, 1, 1, getset},
	{"INCR", 2, Write | DenyOOM | Fast, 1, 1, 1, incr},
	{"INCRBY", 3, Write | DenyOOM | Fast, 1, 1, 1, incrBy},
	{"INCRBYFLOAT", 3, Write | DenyOOM | Fast, 1, 1, 1, incrbyfloat},
	{"KEYS", 2, ReadOnly | Long, 0, 0, 0, keys},
	{"LCS", -3, ReadOnly, 1, 2, 1, lcs},
	{"MEMORY", -2, ReadOnly, 2, 2, 1, memory},
	{"MGET", -2, ReadOnly | Fast, 1, -1, 1, mget},
	{"MSET", -3, Write | DenyOOM, 1, -1, 2, mset},
	{"MSETNX", -3, Write | DenyOOM, 1, -1, 2, msetnx},
	{"OBJECT", -2, ReadOnly, 2, 2, 1, object},
	{"PERSIST", 2, Write | Fast, 1, 1, 1, persist},
	{"PEXPIRE", -3, Write | Fast, 1, 1, 1, pexpire},
	{"PEXPIREAT", -3, Write | Fast, 1, 1, 1, pexpireat},
	{"PEXPIRETIME", 2, ReadOnly | Fast, 1, 1, 1, pexpiretime},
	{"PSETEX", 4, Write | DenyOOM, 1, 1, 1, psetex},
	{"PTTL", 2, ReadOnly | Fast, 1, 1, 1, pttl},
	{"RANDOMKEY", 1, ReadOnly | Long, 0, 0, 0, randomkey},
	{"RENAME", 3, Write, 1, 2, 1, rename},
	{"RENAMENX", 3, Write | Fast, 1, 2, 1, renamenx},
	{"SCAN", -2, ReadOnly | Long, 0, 0, 0, scan},
	{"SET", -3, Write | DenyOOM, 1, 1, 1, set},
	{"SETBIT", 4, Write | DenyOOM, 1, 1, 1, setbit},
	{"SETEX", 4, Write | DenyOOM, 1, 1, 1, setex},
	{"SETNX", 3, Write | DenyOOM | Fast, 1, 1, 1, setnx},
	{"SETRANGE", 4, Write | DenyOOM, 1, 1, 1, setrange},
	{"STRLEN", 2, ReadOnly | Fast, 1, 1, 1, strlen},
	{"SUBSTR", 4, ReadOnly, 1, 1, 1, getrange},
	{"TOUCH", -2, ReadOnly | Fast, 1, -1, 1, exists},
	{"TTL", 2, ReadOnly | Fast, 1, 1, 1, ttl},
	{"TYPE", 2, ReadOnly | Fast, 1, 1, 1, typeOf},
	{"UNLINK", -2, Write | Fast, 1, -1, 1, del},
}

// Commands returns every command.
func Commands() []*Command {
	all := make([]*Command, len(commands))
	for i := range commands {
		all[i] = &commands[i]
	}
	return all
}

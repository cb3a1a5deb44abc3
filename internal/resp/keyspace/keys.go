package keyspace

import (
	"strconv"

	"shredder/internal/resp/proto"
	"shredder/store"
	"shredder/store/layout"
)

func typeOf(db *DB, args [][]byte, w *proto.Writer) {
	if db.has(args[1]) {
		w.Simple("string")
	} else {
		w.Simple("none")
	}
}

const textNoKey = "ERR no such key"

// move is RENAME and RENAMENX: value and expiry go to another key.
func move(db *DB, args [][]byte, onlyNew bool, w *proto.Writer) (moved bool) {
	e, res := db.get(args[1])
	if res == store.Missing {
		w.Error(textNoKey)
		return false
	}
	if failed(w, res) {
		return false
	}
	if string(args[1]) == string(args[2]) {
		return !onlyNew
	}
	if onlyNew && db.has(args[2]) {
		return false
	}
	if !db.put(args[2], e.Value, store.SetOptions{ExpireMillis: e.ExpireMillis}, w) {
		return false
	}
	db.Shard.Delete(store.BytesKey(args[1]), 0, false, db.NowMillis)
	return true
}

func rename(db *DB, args [][]byte, w *proto.Writer) {
	if move(db, args, false, w) {
		w.Simple("OK")
	}
}

func renamenx(db *DB, args [][]byte, w *proto.Writer) {
	before := len(w.Bytes())
	switch moved := move(db, args, true, w); {
	case moved:
		w.Int(1)
	case len(w.Bytes()) == before:
		w.Int(0)
	}
}

// copyKey executes COPY source destination [DB n] [REPLACE].
func copyKey(db *DB, args [][]byte, w *proto.Writer) {
	replace := false
	for i := 3; i < len(args); i++ {
		switch {
		case is(args[i], "REPLACE"):
			replace = true
		case is(args[i], "DB") && i+1 < len(args):
			i++
			n, ok := integer(args[i])
			if !ok || n != int64(int32(n)) {
				w.Error(textInteger)
				return
			}
			if n != 0 {
				w.Error("ERR DB index is out of range")
				return
			}
		default:
			w.Error(textSyntax)
			return
		}
	}
	if string(args[1]) == string(args[2]) {
		w.Error("ERR source and destination objects are the same")
		return
	}
	e, res := db.get(args[1])
	if res != store.Missing && failed(w, res) {
		return
	}
	if res == store.Missing || !replace && db.has(args[2]) {
		w.Int(0)
		return
	}
	if db.put(args[2], e.Value, store.SetOptions{ExpireMillis: e.ExpireMillis}, w) {
		w.Int(1)
	}
}

// unknownSub is Redis' answer to a subcommand that it does not know.
func unknownSub(args [][]byte, of string, w *proto.Writer) {
	sub := args[1]
	w.Error("ERR unknown subcommand '" + string(sub[:min(len(sub), 128)]) + "'. Try " + of + " HELP.")
}

// object executes OBJECT ENCODING key. The encoding is what Redis gives a value that is
// set at once.
func object(db *DB, args [][]byte, w *proto.Writer) {
	switch {
	case !is(args[1], "ENCODING"):
		unknownSub(args, "OBJECT", w)
		return
	case len(args) != 3:
		w.Error("ERR wrong number of arguments for 'object|encoding' command")
		return
	}
	e, res := db.get(args[2])
	if res != store.OK {
		if res == store.Missing {
			w.Null()
		} else {
			failed(w, res)
		}
		return
	}
	_, isInt := integer(e.Value[:min(len(e.Value), 21)])
	switch {
	case isInt && len(e.Value) <= 20:
		w.BulkString("int")
	case len(e.Value) <= 44:
		w.BulkString("embstr")
	default:
		w.BulkString("raw")
	}
}

// memory executes MEMORY USAGE key [SAMPLES n]: header, key and value.
func memory(db *DB, args [][]byte, w *proto.Writer) {
	if !is(args[1], "USAGE") {
		unknownSub(args, "MEMORY", w)
		return
	}
	if len(args) < 3 {
		w.Error("ERR wrong number of arguments for 'memory|usage' command")
		return
	}
	for i := 3; i < len(args); i += 2 {
		if !is(args[i], "SAMPLES") || i+1 == len(args) {
			w.Error(textSyntax)
			return
		}
		n, ok := integer(args[i+1])
		if !ok {
			w.Error(textInteger)
			return
		}
		if n < 0 {
			w.Error(textSyntax)
			return
		}
	}
	e, res := db.get(args[2])
	if res != store.OK {
		if res == store.Missing {
			w.Null()
		} else {
			failed(w, res)
		}
		return
	}
	w.Int(int64(layout.EntryHeaderSize + (len(args[2])+7)&^7 + (len(e.Value)+15)&^15))
}

// appendKey appends a key as a bulk string.
func appendKey(b []byte, k store.Key) []byte {
	if k.Bytes == nil {
		var text [20]byte
		return appendBulk(b, strconv.AppendUint(text[:0], k.Int, 10))
	}
	return appendBulk(b, k.Bytes)
}

func appendBulk(b, s []byte) []byte {
	b = append(b, '$')
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, '\r', '\n')
	b = append(b, s...)
	return append(b, '\r', '\n')
}

package keyspace

import (
	"math"

	"shredder/internal/resp/proto"
	"shredder/store"
)

// expireText is what a command says of a time that it does not take.
func expireText(name string) string { return "ERR invalid expire time in '" + name + "' command" }

// sameWord tells whether two option words differ in case at most.
func sameWord(a, b []byte) bool { return is(a, string(b)) }

// expireFlags are the conditions of EXPIRE.
type expireFlags struct{ nx, xx, gt, lt bool }

func (f *expireFlags) read(options [][]byte, w *proto.Writer) bool {
	for _, a := range options {
		switch {
		case is(a, "NX"):
			f.nx = true
		case is(a, "XX"):
			f.xx = true
		case is(a, "GT"):
			f.gt = true
		case is(a, "LT"):
			f.lt = true
		default:
			w.Error("ERR Unsupported option " + string(a))
			return false
		}
	}
	switch {
	case f.nx && (f.xx || f.gt || f.lt):
		w.Error("ERR NX and XX, GT or LT options at the same time are not compatible")
	case f.gt && f.lt:
		w.Error("ERR GT and LT options at the same time are not compatible")
	default:
		return true
	}
	return false
}

// allow tells whether a key that expires at current (0: never) may expire at when instead.
func (f *expireFlags) allow(current, when int64) bool {
	never := current == 0
	switch {
	case f.nx && !never, f.xx && never:
		return false
	case f.gt && (never || when <= current):
		return false
	case f.lt && !never && when >= current:
		return false
	}
	return true
}

// expireAt executes the four forms of EXPIRE: base is what the time counts from.
func expireAt(db *DB, args [][]byte, base int64, seconds bool, name string, w *proto.Writer) {
	var f expireFlags
	if !f.read(args[3:], w) {
		return
	}
	when, ok := integer(args[2])
	if !ok {
		w.Error(textInteger)
		return
	}
	if seconds {
		if when > math.MaxInt64/1000 || when < math.MinInt64/1000 {
			w.Error(expireText(name))
			return
		}
		when *= 1000
	}
	if when > math.MaxInt64-base {
		w.Error(expireText(name))
		return
	}
	when += base
	key := store.BytesKey(args[1])
	e, res := db.Shard.Get(key, db.NowMillis)
	if res != store.OK || !f.allow(e.ExpireMillis, when) {
		if res != store.Missing && failed(w, res) {
			return
		}
		w.Int(0)
		return
	}
	if when <= db.NowMillis {
		db.Shard.Delete(key, 0, false, db.NowMillis)
	} else {
		db.Shard.Expire(key, when, db.NowMillis)
	}
	w.Int(1)
}

func expire(db *DB, args [][]byte, w *proto.Writer) {
	expireAt(db, args, db.NowMillis, true, "expire", w)
}
func pexpire(db *DB, args [][]byte, w *proto.Writer) {
	expireAt(db, args, db.NowMillis, false, "pexpire", w)
}
func expireat(db *DB, args [][]byte, w *proto.Writer) { expireAt(db, args, 0, true, "expireat", w) }
func pexpireat(db *DB, args [][]byte, w *proto.Writer) {
	expireAt(db, args, 0, false, "pexpireat", w)
}

// ttlOf answers when a key expires: in unix time or from now, −1 for never, −2 for no key.
func ttlOf(db *DB, key []byte, absolute, seconds bool, w *proto.Writer) {
	e, res := db.get(key)
	if res != store.OK {
		if res == store.Missing {
			w.Int(-2)
		} else {
			failed(w, res)
		}
		return
	}
	n := e.ExpireMillis
	if n == 0 {
		w.Int(-1)
		return
	}
	if !absolute {
		n = max(n-db.NowMillis, 0)
	}
	if seconds {
		n = n/1000 + (n%1000+500)/1000
	}
	w.Int(n)
}

func ttl(db *DB, args [][]byte, w *proto.Writer)         { ttlOf(db, args[1], false, true, w) }
func pttl(db *DB, args [][]byte, w *proto.Writer)        { ttlOf(db, args[1], false, false, w) }
func expiretime(db *DB, args [][]byte, w *proto.Writer)  { ttlOf(db, args[1], true, true, w) }
func pexpiretime(db *DB, args [][]byte, w *proto.Writer) { ttlOf(db, args[1], true, false, w) }

func persist(db *DB, args [][]byte, w *proto.Writer) {
	e, res := db.get(args[1])
	switch {
	case res == store.OK && e.ExpireMillis != 0:
		db.Shard.Expire(store.BytesKey(args[1]), 0, db.NowMillis)
		w.Int(1)
	case res == store.OK, res == store.Missing:
		w.Int(0)
	default:
		failed(w, res)
	}
}

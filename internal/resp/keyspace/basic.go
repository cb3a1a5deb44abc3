package keyspace

import (
	"bytes"
	"math"
	"strconv"

	"shredder/internal/resp/proto"
	"shredder/store"
)

const (
	textSyntax   = "ERR syntax error"
	textInteger  = "ERR value is not an integer or out of range"
	textOverflow = "ERR increment or decrement would overflow"
	textKey      = "ERR invalid key: a key has 1 to 1024 bytes"
	textTooLong  = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
	textFull     = "OOM command not allowed when used memory > 'maxmemory'."
	textDamaged  = "ERR The tenant's memory is damaged and closed"
)

// failed answers with what the store says, if it is no OK.
func failed(w *proto.Writer, res store.Result) bool {
	switch res {
	case store.OK:
		return false
	case store.NotInteger:
		w.Error(textInteger)
	case store.Overflow:
		w.Error(textOverflow)
	case store.TooLarge:
		w.Error(textTooLong)
	case store.Corrupt:
		w.Error(textDamaged)
	default:
		w.Error(textFull)
	}
	return true
}

func (db *DB) get(key []byte) (store.Entry, store.Result) {
	return db.Shard.Get(store.BytesKey(key), db.NowMillis)
}

func bulk(db *DB, key []byte, w *proto.Writer) {
	if e, res := db.get(key); res == store.OK {
		w.Bulk(e.Value)
	} else if res == store.Missing {
		w.Null()
	} else {
		failed(w, res)
	}
}

// failedSet is failed for a write, which may be refused for its key.
func failedSet(w *proto.Writer, key []byte, res store.Result) {
	if res == store.TooLarge && (len(key) == 0 || len(key) > store.MaxKeyLen) {
		w.Error(textKey)
		return
	}
	failed(w, res)
}

// has tells whether there is such a key.
func (db *DB) has(key []byte) bool {
	_, res := db.get(key)
	return res == store.OK
}

// put sets a key, or answers why not.
func (db *DB) put(key, value []byte, o store.SetOptions, w *proto.Writer) bool {
	_, res := db.Shard.Set(store.BytesKey(key), value, o, db.NowMillis)
	if res != store.OK {
		failedSet(w, key, res)
	}
	return res == store.OK
}

func get(db *DB, args [][]byte, w *proto.Writer) { bulk(db, args[1], w) }

func mget(db *DB, args [][]byte, w *proto.Writer) {
	w.Array(len(args) - 1)
	for _, key := range args[1:] {
		bulk(db, key, w)
		if !db.spend(turnBytes / turnKeys) {
			return
		}
	}
}

func strlen(db *DB, args [][]byte, w *proto.Writer) {
	e, _ := db.get(args[1])
	w.Int(int64(len(e.Value)))
}

func exists(db *DB, args [][]byte, w *proto.Writer) {
	n := int64(0)
	for _, key := range args[1:] {
		if _, res := db.get(key); res == store.OK {
			n++
		}
		if !db.spend(turnBytes / turnKeys) {
			return
		}
	}
	w.Int(n)
}

func del(db *DB, args [][]byte, w *proto.Writer) {
	n := int64(0)
	for _, key := range args[1:] {
		if _, res := db.Shard.Delete(store.BytesKey(key), 0, false, db.NowMillis); res == store.OK {
			n++
		}
		if !db.spend(turnBytes / turnKeys) {
			return
		}
	}
	w.Int(n)
}

func dbsize(db *DB, _ [][]byte, w *proto.Writer) { w.Int(int64(db.Shard.Len())) }

func add(db *DB, key []byte, delta int64, w *proto.Writer) {
	n, _, res := db.Shard.Incr(store.BytesKey(key), delta, db.NowMillis)
	if res != store.OK {
		failedSet(w, key, res)
		return
	}
	w.Int(n)
}

func incr(db *DB, args [][]byte, w *proto.Writer) { add(db, args[1], 1, w) }
func decr(db *DB, args [][]byte, w *proto.Writer) { add(db, args[1], -1, w) }

// integer reads a number as Redis does: no plus, no leading zeros.
func integer(b []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	var text [20]byte
	return n, err == nil && bytes.Equal(strconv.AppendInt(text[:0], n, 10), b)
}

func incrBy(db *DB, args [][]byte, w *proto.Writer) {
	if delta, ok := integer(args[2]); ok {
		add(db, args[1], delta, w)
	} else {
		w.Error(textInteger)
	}
}

func decrBy(db *DB, args [][]byte, w *proto.Writer) {
	delta, ok := integer(args[2])
	switch {
	case !ok:
		w.Error(textInteger)
	case delta == math.MinInt64:
		w.Error("ERR decrement would overflow")
	default:
		add(db, args[1], -delta, w)
	}
}

func is(arg []byte, word string) bool {
	return len(arg) == len(word) && bytes.EqualFold(arg, []byte(word))
}

// timeOption tells whether a is EX, PX, EXAT or PXAT, of which a command takes one, perhaps
// repeatedly.
func timeOption(a, before []byte) bool {
	return (is(a, "EX") || is(a, "PX") || is(a, "EXAT") || is(a, "PXAT")) && (before == nil || sameWord(before, a))
}

// when reads the time of such an option, or answers why not.
func (db *DB) when(option, time []byte, name string, w *proto.Writer) (millis int64, ok bool) {
	n, ok := integer(time)
	if !ok {
		w.Error(textInteger)
		return 0, false
	}
	if millis, ok = expiry(n, len(option) == 4, option[0]|0x20 == 'e', db.NowMillis); !ok {
		w.Error(expireText(name))
	}
	return millis, ok
}

// set executes SET key value [NX|XX] [GET] [EX|PX|EXAT|PXAT time|KEEPTTL].
func set(db *DB, args [][]byte, w *proto.Writer) {
	var o store.SetOptions
	var nx, xx, wantOld bool
	var option, time []byte
	for i := 3; i < len(args); i++ {
		switch a := args[i]; {
		case is(a, "NX") && !xx:
			nx = true
		case is(a, "XX") && !nx:
			xx = true
		case is(a, "GET"):
			wantOld = true
		case is(a, "KEEPTTL") && option == nil:
			o.KeepExpire = true
		case timeOption(a, option) && !o.KeepExpire && i+1 < len(args):
			option, time = a, args[i+1]
			i++
		default:
			w.Error(textSyntax)
			return
		}
	}
	if option != nil {
		var ok bool
		if o.ExpireMillis, ok = db.when(option, time, "set", w); !ok {
			return
		}
	}
	key := store.BytesKey(args[1])
	old, found := store.Entry{}, store.Missing
	if nx || xx || wantOld {
		old, found = db.Shard.Get(key, db.NowMillis)
	}
	before := len(w.Bytes())
	switch { // before the write: the old value is gone afterwards
	case wantOld && found == store.OK:
		w.Bulk(old.Value)
	case wantOld:
		w.Null()
	}
	if nx && found == store.OK || xx && found != store.OK {
		if !wantOld {
			w.Null()
		}
		return
	}
	_, res := db.Shard.Set(key, args[2], o, db.NowMillis)
	switch {
	case res != store.OK:
		w.Reset(w.Bytes()[:before], w.Version())
		failedSet(w, args[1], res)
	case !wantOld:
		w.Simple("OK")
	}
}

// expiry is when a key expires, in unix ms: n is in seconds or milliseconds, absolute or from now.
func expiry(n int64, absolute, seconds bool, now int64) (millis int64, ok bool) {
	if n <= 0 || seconds && n > math.MaxInt64/1000 {
		return 0, false
	}
	if seconds {
		n *= 1000
	}
	if !absolute {
		if n > math.MaxInt64-now {
			return 0, false
		}
		n += now
	}
	return n, true
}

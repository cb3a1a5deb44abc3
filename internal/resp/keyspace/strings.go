package keyspace

import (
	"shredder/internal/resp/proto"
	"shredder/store"
)

// putExpiring executes SETEX and PSETEX.
func putExpiring(db *DB, args [][]byte, seconds bool, name string, w *proto.Writer) {
	n, ok := integer(args[2])
	if !ok {
		w.Error(textInteger)
		return
	}
	expire, ok := expiry(n, false, seconds, db.NowMillis)
	if !ok {
		w.Error(expireText(name))
		return
	}
	if db.put(args[1], args[3], store.SetOptions{ExpireMillis: expire}, w) {
		w.Simple("OK")
	}
}

func setex(db *DB, args [][]byte, w *proto.Writer)  { putExpiring(db, args, true, "setex", w) }
func psetex(db *DB, args [][]byte, w *proto.Writer) { putExpiring(db, args, false, "psetex", w) }

func setnx(db *DB, args [][]byte, w *proto.Writer) {
	if db.has(args[1]) {
		w.Int(0)
	} else if db.put(args[1], args[2], store.SetOptions{}, w) {
		w.Int(1)
	}
}

func getset(db *DB, args [][]byte, w *proto.Writer) {
	before := len(w.Bytes())
	bulk(db, args[1], w)
	_, res := db.Shard.Set(store.BytesKey(args[1]), args[2], store.SetOptions{}, db.NowMillis)
	if res != store.OK {
		w.Reset(w.Bytes()[:before], w.Version())
		failedSet(w, args[1], res)
	}
}

func getdel(db *DB, args [][]byte, w *proto.Writer) {
	bulk(db, args[1], w)
	db.Shard.Delete(store.BytesKey(args[1]), 0, false, db.NowMillis)
}

// getex executes GETEX key [EX|PX|EXAT|PXAT time|PERSIST].
func getex(db *DB, args [][]byte, w *proto.Writer) {
	var option, time []byte
	for i := 2; i < len(args); i++ {
		a := args[i]
		switch {
		case is(a, "PERSIST") && (option == nil || is(option, "PERSIST")):
			option = a
		case timeOption(a, option) && i+1 < len(args):
			option, time = a, args[i+1]
			i++
		default:
			w.Error(textSyntax)
			return
		}
	}
	key := store.BytesKey(args[1])
	e, res := db.Shard.Get(key, db.NowMillis)
	if res != store.OK {
		if res == store.Missing {
			w.Null()
		} else {
			failed(w, res)
		}
		return
	}
	expire := int64(0)
	if time != nil {
		var ok bool
		if expire, ok = db.when(option, time, "getex", w); !ok {
			return
		}
	}
	w.Bulk(e.Value)
	switch {
	case expire != 0 && expire <= db.NowMillis:
		db.Shard.Delete(key, 0, false, db.NowMillis)
	case option != nil:
		db.Shard.Expire(key, expire, db.NowMillis)
	}
}

// mset executes MSET, all of it or nothing for as many keys as one commit takes.
func mset(db *DB, args [][]byte, w *proto.Writer) {
	if len(args)%2 == 0 {
		w.Error("ERR wrong number of arguments for 'mset' command")
		return
	}
	if db.putAll(args[1:], w) {
		w.Simple("OK")
	}
}

func msetnx(db *DB, args [][]byte, w *proto.Writer) {
	if len(args)%2 == 0 {
		w.Error("ERR wrong number of arguments for 'msetnx' command")
		return
	}
	for i := 1; i < len(args); i += 2 {
		if db.has(args[i]) {
			w.Int(0)
			return
		}
	}
	if db.putAll(args[1:], w) {
		w.Int(1)
	}
}

// putAll sets pairs of keys and values. Up to store.MaxOverlayWrites pairs become
// visible at once or not at all; of more, those before a failure stay.
func (db *DB) putAll(pairs [][]byte, w *proto.Writer) bool {
	if len(pairs) == 2 || len(pairs)/2 > store.MaxOverlayWrites {
		for i := 0; i < len(pairs); i += 2 {
			if !db.put(pairs[i], pairs[i+1], store.SetOptions{}, w) {
				return false
			}
			if !db.spend(len(pairs[i+1]) + turnBytes/turnKeys) {
				return false
			}
		}
		return true
	}
	o := db.Shard.Overlay()
	o.Begin(db.NowMillis, store.OverlayLimits{})
	for i := 0; i < len(pairs); i += 2 {
		if _, res := o.Set(store.BytesKey(pairs[i]), pairs[i+1], store.SetOptions{}); res != store.OK {
			o.Discard()
			failedSet(w, pairs[i], res)
			return false
		}
		if !db.spend(len(pairs[i+1]) + turnBytes/turnKeys) {
			o.Discard()
			return false
		}
	}
	if res := o.Commit(); res != store.OK {
		o.Discard()
		failed(w, res)
		return false
	}
	return true
}

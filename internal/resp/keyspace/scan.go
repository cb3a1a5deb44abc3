package keyspace

import (
	"math"
	"math/rand/v2"
	"strconv"

	"shredder/internal/resp/proto"
	"shredder/store"
)

// scanStep is how many entries a long scan looks at between two pauses.
const scanStep = 256

// collected is the most bytes of keys in one reply: beyond it SCAN is the way.
const collected = 64 << 20

const textManyKeys = "ERR the reply would be longer than 64 MiB, use SCAN"

// walk calls visit for up to limit entries from cursor on, pausing in between, and returns
// where to go on. false: the command has been answered or ended.
func (db *DB) walk(cursor uint64, limit int64, w *proto.Writer, visit func(store.Key)) (uint64, bool) {
	seen := int64(0)
	see := func(k store.Key, _ store.Entry) bool {
		seen++
		visit(k)
		return true
	}
	for {
		next, res := db.Shard.Scan(cursor, int(min(limit-seen, scanStep)), db.NowMillis, see)
		if failed(w, res) {
			return 0, false
		}
		if next == 0 || seen >= limit {
			return next, true
		}
		if len(db.keys) > collected {
			w.Error(textManyKeys)
			return 0, false
		}
		if cursor = next; !db.spend(turnBytes) {
			return 0, false
		}
	}
}

// gather begins a list of keys that match pattern, nil for all.
func (db *DB) gather(pattern []byte, count *int) func(store.Key) {
	db.keys = db.keys[:0]
	return func(k store.Key) {
		var text [20]byte
		name := k.Bytes
		if name == nil {
			name = strconv.AppendUint(text[:0], k.Int, 10)
		}
		if pattern == nil || Match(pattern, name) {
			db.keys = appendKey(db.keys, k)
			*count++
		}
	}
}

// keepKeys is how much room for keys a DB keeps.
const keepKeys = 64 << 10

func (db *DB) reply(count int, w *proto.Writer) {
	w.Array(count)
	w.Raw(db.keys)
	if cap(db.keys) > keepKeys {
		db.keys = nil
	}
}

func keys(db *DB, args [][]byte, w *proto.Writer) {
	pattern := args[1]
	if len(pattern) == 1 && pattern[0] == '*' {
		pattern = nil
	}
	count := 0
	if _, ok := db.walk(0, 1<<62, w, db.gather(pattern, &count)); ok {
		db.reply(count, w)
	}
}

// parseCursor reads a cursor as Redis does, by C's strtoul: nothing is 0, a sign may stand in front.
func parseCursor(b []byte) (uint64, bool) {
	if len(b) == 0 {
		return 0, true
	}
	digits := b
	if b[0] == '-' || b[0] == '+' {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 20 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range digits {
		if c < '0' || c > '9' || n > (math.MaxUint64-uint64(c-'0'))/10 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	if b[0] == '-' {
		n = -n
	}
	return n, true
}

// scan executes SCAN cursor [MATCH pattern] [COUNT n] [TYPE type].
func scan(db *DB, args [][]byte, w *proto.Writer) {
	cursor, ok := parseCursor(args[1])
	if !ok {
		w.Error("ERR invalid cursor")
		return
	}
	limit, pattern, strings := int64(10), []byte(nil), true
	for i := 2; i < len(args); i += 2 {
		if i+1 == len(args) {
			w.Error(textSyntax)
			return
		}
		switch value := args[i+1]; {
		case is(args[i], "COUNT"):
			n, ok := integer(value)
			if !ok {
				w.Error(textInteger)
				return
			}
			if n < 1 {
				w.Error(textSyntax)
				return
			}
			limit = n
		case is(args[i], "MATCH"):
			pattern = value
		case is(args[i], "TYPE"):
			strings = is(value, "string")
		default:
			w.Error(textSyntax)
			return
		}
	}
	if !strings { // nothing but strings is here
		w.Array(2)
		w.BulkString("0")
		w.Array(0)
		return
	}
	count := 0
	next, whole := db.walk(cursor, limit, w, db.gather(pattern, &count))
	if !whole {
		return
	}
	w.Array(2)
	var text [20]byte
	w.Bulk(strconv.AppendUint(text[:0], next, 10))
	db.reply(count, w)
}

// randomkey takes a random one of the first keys behind a random place of the table.
func randomkey(db *DB, _ [][]byte, w *proto.Writer) {
	const among = 16
	cursor := uint64(rand.Uint32()) & (1<<26 - 1)
	for wrapped := false; ; {
		count, chosen := 0, 0
		var begins [among]int
		db.keys = db.keys[:0]
		next, res := db.Shard.Scan(cursor, among, db.NowMillis, func(k store.Key, _ store.Entry) bool {
			begins[count] = len(db.keys)
			db.keys = appendKey(db.keys, k)
			count++
			return true
		})
		if failed(w, res) {
			return
		}
		if count > 0 {
			chosen = rand.IntN(count)
			end := len(db.keys)
			if chosen+1 < count {
				end = begins[chosen+1]
			}
			w.Raw(db.keys[begins[chosen]:end])
			return
		}
		if next == 0 {
			if wrapped {
				w.Null()
				return
			}
			wrapped = true
		}
		if cursor = next; !db.spend(turnBytes / 8) {
			return
		}
	}
}

package keyspace

import (
	"math/bits"

	"shredder/internal/resp/proto"
	"shredder/store"
)

// patch writes part into a value at off and says how long the value is now.
func (db *DB) patch(key []byte, off int, part []byte, w *proto.Writer) (size int, ok bool) {
	size, _, res := db.Shard.Patch(store.BytesKey(key), off, part, db.NowMillis)
	if res != store.OK {
		failedSet(w, key, res)
		return 0, false
	}
	return size, true
}

func appendTo(db *DB, args [][]byte, w *proto.Writer) {
	e, _ := db.get(args[1])
	if size, ok := db.patch(args[1], len(e.Value), args[2], w); ok {
		w.Int(int64(size))
	}
}

func setrange(db *DB, args [][]byte, w *proto.Writer) {
	off, ok := integer(args[2])
	switch {
	case !ok:
		w.Error(textInteger)
	case off < 0:
		w.Error("ERR offset is out of range")
	case len(args[3]) == 0:
		strlen(db, args, w)
	case off > store.MaxValueSize:
		w.Error(textTooLong)
	default:
		if size, ok := db.patch(args[1], int(off), args[3], w); ok {
			w.Int(int64(size))
		}
	}
}

// span makes Redis' inclusive range of a string of size units into from and to, to
// excluded. Negative numbers count from the end.
func span(start, end, size int64) (from, to int64) {
	if start < 0 && end < 0 && start > end {
		return 0, 0
	}
	if start < 0 {
		start = max(size+start, 0)
	}
	if end < 0 {
		end = max(size+end, 0)
	}
	end = min(end, size-1)
	if start > end {
		return 0, 0
	}
	return start, end + 1
}

func getrange(db *DB, args [][]byte, w *proto.Writer) {
	start, ok1 := integer(args[2])
	end, ok2 := integer(args[3])
	if !ok1 || !ok2 {
		w.Error(textInteger)
		return
	}
	e, res := db.get(args[1])
	if res != store.Missing && failed(w, res) {
		return
	}
	from, to := span(start, end, int64(len(e.Value)))
	w.Bulk(e.Value[from:to])
}

const textBit = "ERR bit offset is not an integer or out of range"

// bitOffset reads the number of a bit. Values of ours end before Redis' do.
func bitOffset(arg []byte, w *proto.Writer) (int, bool) {
	n, ok := integer(arg)
	if !ok || n < 0 || n>>3 >= 512<<20 {
		w.Error(textBit)
		return 0, false
	}
	return int(n), true
}

func setbit(db *DB, args [][]byte, w *proto.Writer) {
	at, ok := bitOffset(args[2], w)
	if !ok {
		return
	}
	on, ok := integer(args[3])
	if !ok || on&^1 != 0 {
		w.Error("ERR bit is not an integer or out of range")
		return
	}
	if at>>3 >= store.MaxValueSize {
		w.Error(textTooLong)
		return
	}
	e, _ := db.get(args[1])
	old := byte(0)
	if at>>3 < len(e.Value) {
		old = e.Value[at>>3]
	}
	shift := 7 - at&7
	db.bit[0] = old&^(1<<shift) | byte(on)<<shift
	if _, ok := db.patch(args[1], at>>3, db.bit[:], w); ok {
		w.Int(int64(old >> shift & 1))
	}
}

func getbit(db *DB, args [][]byte, w *proto.Writer) {
	at, ok := bitOffset(args[2], w)
	if !ok {
		return
	}
	e, _ := db.get(args[1])
	if at>>3 >= len(e.Value) {
		w.Int(0)
		return
	}
	w.Int(int64(e.Value[at>>3] >> (7 - at&7) & 1))
}

// unit reads BIT or BYTE.
func unit(arg []byte) (isBit, ok bool) { return is(arg, "BIT"), is(arg, "BIT") || is(arg, "BYTE") }

// bitcount executes BITCOUNT key [start end [BIT|BYTE]].
func bitcount(db *DB, args [][]byte, w *proto.Writer) {
	e, res := db.get(args[1])
	if res != store.OK {
		if res == store.Missing {
			w.Int(0)
		} else {
			failed(w, res)
		}
		return
	}
	from, to := int64(0), int64(len(e.Value))*8
	switch len(args) {
	case 2:
	case 4, 5:
		start, ok1 := integer(args[2])
		end, ok2 := integer(args[3])
		if !ok1 || !ok2 {
			w.Error(textInteger)
			return
		}
		if start < 0 && end < 0 && start > end { // before the unit is looked at
			w.Int(0)
			return
		}
		isBit := false
		if len(args) == 5 {
			var ok bool
			if isBit, ok = unit(args[4]); !ok {
				w.Error(textSyntax)
				return
			}
		}
		if isBit {
			from, to = span(start, end, to)
		} else {
			from, to = span(start, end, to/8)
			from, to = 8*from, 8*to
		}
	default:
		w.Error(textSyntax)
		return
	}
	if n, ok := db.count(e.Value, from, to); ok {
		w.Int(n)
	}
}

// count is how many bits from from to to are set. false: the command was ended.
func (db *DB) count(b []byte, from, to int64) (n int64, ok bool) {
	for ; from < to && from%8 != 0; from++ {
		n += int64(b[from/8] >> (7 - from%8) & 1)
	}
	for ; from < to && to%8 != 0; to-- {
		n += int64(b[(to-1)/8] >> (7 - (to-1)%8) & 1)
	}
	for b = b[from/8 : to/8]; len(b) > 0; {
		piece := b[:min(len(b), turnBytes)]
		b = b[len(piece):]
		for _, c := range piece {
			n += int64(bits.OnesCount8(c))
		}
		if !db.spend(len(piece)) {
			return 0, false
		}
	}
	return n, true
}

// bitpos executes BITPOS key bit [start [end [BIT|BYTE]]].
func bitpos(db *DB, args [][]byte, w *proto.Writer) {
	bit, ok := integer(args[2])
	if !ok {
		w.Error(textInteger)
		return
	}
	if bit != 0 && bit != 1 {
		w.Error("ERR The bit argument must be 1 or 0.")
		return
	}
	e, res := db.get(args[1])
	if res != store.OK {
		if res == store.Missing {
			w.Int(-bit)
		} else {
			failed(w, res)
		}
		return
	}
	size := int64(len(e.Value))
	from, to := int64(0), 8*size
	if len(args) > 6 {
		w.Error(textSyntax)
		return
	}
	if len(args) > 3 {
		start, ok := integer(args[3])
		if !ok {
			w.Error(textInteger)
			return
		}
		isBit := false
		if len(args) == 6 {
			if isBit, ok = unit(args[5]); !ok {
				w.Error(textSyntax)
				return
			}
		}
		end := size - 1
		if len(args) > 4 {
			if end, ok = integer(args[4]); !ok {
				w.Error(textInteger)
				return
			}
		}
		from, to = searchSpan(start, end, size, isBit)
	}
	if from >= to {
		w.Int(-1)
		return
	}
	at, ok := db.find(e.Value, from, to, byte(bit))
	if !ok {
		return
	}
	if at < 0 && bit == 0 && len(args) < 5 { // behind the value there are zeros without end
		at = 8 * size
	}
	w.Int(at)
}

// searchSpan is span in bits for BITPOS, which does not take two negative numbers
// in the wrong order for an empty range before it has cut them.
func searchSpan(start, end, size int64, isBit bool) (from, to int64) {
	if isBit {
		size *= 8
	}
	if start < 0 {
		start = max(size+start, 0)
	}
	if end < 0 {
		end = max(size+end, 0)
	}
	end = min(end, size-1)
	if isBit {
		return start, end + 1
	}
	if start > end {
		return 0, 0
	}
	return 8 * start, 8 * (end + 1)
}

// find is where the first bit of a kind stands between from and to, −1 for none. false: the
// command was ended.
func (db *DB) find(b []byte, from, to int64, bit byte) (at int64, ok bool) {
	skip := byte(0) // a byte that has none
	if bit == 0 {
		skip = 0xff
	}
	for from < to {
		if from%8 == 0 && b[from/8] == skip {
			from += 8
			if from%(8*turnBytes) == 0 && !db.spend(turnBytes) {
				return 0, false
			}
			continue
		}
		if b[from/8]>>(7-from%8)&1 == bit {
			return from, true
		}
		from++
	}
	return -1, true
}

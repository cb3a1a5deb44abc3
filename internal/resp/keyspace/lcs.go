package keyspace

import (
	"shredder/internal/resp/proto"
	"shredder/store"
)

// lcsCells is the largest table that LCS fills, in numbers of four bytes.
const lcsCells = 16 << 20

type lcsOptions struct {
	length, index, withLen bool
	least                  int64
}

func (o *lcsOptions) read(options [][]byte, w *proto.Writer) bool {
	for i := 0; i < len(options); i++ {
		switch a := options[i]; {
		case is(a, "IDX"):
			o.index = true
		case is(a, "LEN"):
			o.length = true
		case is(a, "WITHMATCHLEN"):
			o.withLen = true
		case is(a, "MINMATCHLEN") && i+1 < len(options):
			i++
			n, ok := integer(options[i])
			if !ok {
				w.Error(textInteger)
				return false
			}
			o.least = max(n, 0)
		default:
			w.Error(textSyntax)
			return false
		}
	}
	if o.length && o.index {
		w.Error("ERR If you want both the length and indexes, please just use IDX.")
		return false
	}
	return true
}

// lcs executes LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]: the longest
// common subsequence by dynamic programming.
func lcs(db *DB, args [][]byte, w *proto.Writer) {
	var o lcsOptions
	if !o.read(args[3:], w) {
		return
	}
	a, resA := db.get(args[1])
	b, resB := db.get(args[2])
	if resA != store.Missing && failed(w, resA) || resB != store.Missing && failed(w, resB) {
		return
	}
	if (len(a.Value)+1)*(len(b.Value)+1) > lcsCells {
		w.Error("ERR Insufficient memory, the table of LCS would have more than 64 MiB")
		return
	}
	t := lcsTable{a: a.Value, b: b.Value, width: len(b.Value) + 1}
	if !t.fill(db) {
		return
	}
	total := int64(t.at(len(t.a), len(t.b)))
	switch {
	case o.index:
		ranges, count := t.ranges(&o, w.Version())
		w.Map(2)
		w.BulkString("matches")
		w.Array(count)
		w.Raw(ranges)
		w.BulkString("len")
		w.Int(total)
	case o.length:
		w.Int(total)
	default:
		w.Bulk(t.text())
	}
}

// lcsTable holds, for every pair of prefixes of a and b, the length of their longest
// common subsequence.
type lcsTable struct {
	a, b  []byte
	cells []uint32
	width int
}

func (t *lcsTable) at(i, j int) uint32 { return t.cells[i*t.width+j] }

// fill computes the table. false: the command was ended.
func (t *lcsTable) fill(db *DB) bool {
	t.cells = make([]uint32, (len(t.a)+1)*t.width)
	for i, c := range t.a {
		above := t.cells[i*t.width : (i+1)*t.width]
		row := t.cells[(i+1)*t.width : (i+2)*t.width]
		for j, d := range t.b {
			if c == d {
				row[j+1] = above[j] + 1
			} else {
				row[j+1] = max(above[j+1], row[j])
			}
		}
		if !db.spend(4 * t.width) {
			return false
		}
	}
	return true
}

// back goes one step back from (i, j), as Redis does.
func (t *lcsTable) back(i, j int) (int, int, bool) {
	switch {
	case t.a[i-1] == t.b[j-1]:
		return i - 1, j - 1, true
	case t.at(i-1, j) > t.at(i, j-1):
		return i - 1, j, false
	}
	return i, j - 1, false
}

// text is the subsequence itself.
func (t *lcsTable) text() []byte {
	i, j := len(t.a), len(t.b)
	out := make([]byte, t.at(i, j))
	for n := len(out); i > 0 && j > 0; {
		var same bool
		if i, j, same = t.back(i, j); same {
			n--
			out[n] = t.a[i]
		}
	}
	return out
}

// ranges are the matches from the last to the first, as replies.
func (t *lcsTable) ranges(o *lcsOptions, version int) (replies []byte, count int) {
	var w proto.Writer
	w.Reset(nil, version)
	emit := func(i, j, size int) {
		if size == 0 || int64(size) < o.least {
			return
		}
		n := 2
		if o.withLen {
			n++
		}
		w.Array(n)
		for _, from := range []int{i, j} {
			w.Array(2)
			w.Int(int64(from))
			w.Int(int64(from + size - 1))
		}
		if o.withLen {
			w.Int(int64(size))
		}
		count++
	}
	size := 0 // of the run of matches that begins at (i, j)
	i, j := len(t.a), len(t.b)
	for i > 0 && j > 0 {
		ni, nj, same := t.back(i, j)
		if same {
			size++
		} else {
			emit(i, j, size)
			size = 0
		}
		i, j = ni, nj
	}
	emit(i, j, size)
	return w.Bytes(), count
}

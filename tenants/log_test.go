package tenants

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestLogModel compares the ring with a list of all records ever written: it keeps an
// unbroken run of the newest, at least as many as the limits surely allow.
func TestLogModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l Log
		var all [][]byte
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, MaxLogText+100)), 1, 300).Draw(t, "sizes")
		for i, size := range sizes {
			repeat := 1
			if size < 8 {
				repeat = 20
			}
			for range repeat {
				text := bytes.Repeat([]byte{byte('a' + i%26)}, size)
				l.Append(int64(len(all)), uint8(i%4), text)
				all = append(all, text[:min(size, MaxLogText)])
			}
			check(t, &l, all)
		}
	})
}

func check(t *rapid.T, l *Log, all [][]byte) {
	if l.Next() != uint64(len(all))+1 {
		t.Fatalf("next is %d after %d records", l.Next(), len(all))
	}
	kept := 0
	for seq := l.First(); seq < l.Next(); seq++ {
		rec, ok := l.At(seq)
		if !ok || rec.Seq != seq || rec.UnixMillis != int64(seq-1) || !bytes.Equal(rec.Text, all[seq-1]) {
			t.Fatalf("record %d: %v, %+v", seq, ok, rec)
		}
		kept += len(rec.Text)
	}
	if _, ok := l.At(l.First() - 1); ok {
		t.Fatalf("record %d is there and should not be", l.First()-1)
	}
	if l.First() > 1 {
		n := int(l.Next() - l.First())
		full := n == MaxLogRecords || kept > MaxLogSize-2*MaxLogText
		if !full {
			t.Fatalf("a record was dropped with %d records of %d bytes kept", n, kept)
		}
	}
	if len(l.text) > MaxLogSize || len(l.records) > MaxLogRecords {
		t.Fatalf("the ring has grown to %d bytes, %d records", len(l.text), len(l.records))
	}
}

func TestLogCutsRunes(t *testing.T) {
	var l Log
	l.Append(0, 0, []byte(strings.Repeat("x", MaxLogText-1)+"é"))
	rec, _ := l.At(1)
	if !utf8.Valid(rec.Text) || len(rec.Text) != MaxLogText-1 {
		t.Errorf("%d bytes, valid %v", len(rec.Text), utf8.Valid(rec.Text))
	}
}

// TestDirectoryModel compares the trie with a map, old snapshots included.
func TestDirectoryModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, model := new(Directory), map[uint32]bool{}
		old, oldLen := d, 0
		for _, id := range rapid.SliceOf(rapid.Uint32Range(0, 300)).Draw(t, "ids") {
			l := &Local{ID: id, Home: int(id % 7), Name: fmt.Sprint("n", id)}
			if model[id] {
				d = d.without(l.entry())
				delete(model, id)
			} else {
				d = d.with(l.entry())
				model[id] = true
			}
			if id%50 == 0 {
				old, oldLen = d, len(model)
			}
		}
		for id := range uint32(301) {
			home, ok := d.Lookup(id)
			e, known := d.ByName(fmt.Appendf(nil, "n%d", id))
			if ok != model[id] || known != model[id] || ok && (home != int(id%7) || e.ID != id) {
				t.Fatalf("id %d: %v %v, want %v", id, ok, known, model[id])
			}
		}
		found := 0
		for id := range uint32(301) {
			if _, ok := old.Lookup(id); ok {
				found++
			}
		}
		if d.Len() != len(model) || old.Len() != oldLen || found != oldLen {
			t.Fatalf("%d tenants of %d; %d and %d of %d in an old one", d.Len(), len(model), found, old.Len(), oldLen)
		}
	})
}

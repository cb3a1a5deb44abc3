package wire_test

import (
	"bytes"
	"testing"

	"shredder/pktproc/wire"
)

// FuzzParse holds that whatever Parse accepts can be walked, viewed and
// checked without a panic, that the views stay inside, and that writing the
// operations anew gives the same bytes.
func FuzzParse(f *testing.F) {
	vs, _ := load(f)
	for _, v := range vs {
		f.Add(v.Bytes)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, ops, st := wire.Parse(b)
		if (h == nil) != (len(b) < wire.HeaderSize) {
			t.Fatalf("header of %d bytes: %v", len(b), h != nil)
		}
		if st != wire.StatusOK {
			if ops != nil {
				t.Fatal("operations of a refused datagram")
			}
			return
		}
		w := wire.NewWriter(make([]byte, wire.MaxDatagram))
		n, size := 0, 0
		for op, rest, ok := wire.FirstOp(ops); ok; op, rest, ok = wire.FirstOp(rest) {
			n++
			size += len(op)
			if cap(op) != len(op) || cap(op.Value()) != len(op.Value()) || cap(op.Key()) != len(op.Key()) {
				t.Fatal("a view is not clipped")
			}
			_ = wire.CheckOp(op)
			_ = op.Recorded()
			rewrite(&w, op)
			walkRecords(op.Value())
		}
		if n != h.Ops() || size != len(ops) {
			t.Fatalf("%d operations of %d bytes, header says %d and %d", n, size, h.Ops(), len(ops))
		}
		if w.Overflow() {
			return // 1452 is no multiple of 8: the writer stops at 1448
		}
		again := w.Finish(wire.HeaderFields{
			Flags: h.Flags(), Status: h.Status(), Session: h.Session(), Secret: h.Secret(), Seq: h.Seq(),
			First: h.First(), Port: h.Port(), DeadlineMillis: h.DeadlineMillis(),
		})
		if !bytes.Equal(again, b) {
			t.Fatalf("written anew\n%x\nfrom\n%x", again, b)
		}
	})
}

func rewrite(w *wire.Writer, op wire.Op) {
	w.Begin(op.Code(), op.Flags(), op.Status())
	for i := range op.Words() {
		w.Word(op.Word(i))
	}
	if r, ok := op.Receipt(); ok {
		w.Receipt(r)
	}
	if n, ok := op.IntKey(); ok {
		w.IntKey(n)
	} else {
		w.Key(op.Key())
	}
	w.Value(op.Value())
	w.End()
}

func walkRecords(b []byte) {
	for rest, st := b, wire.StatusOK; st == wire.StatusOK && len(rest) > 0; {
		_, rest, st = wire.FirstItem(rest)
	}
	for rest, st := b, wire.StatusOK; st == wire.StatusOK && len(rest) > 0; {
		_, rest, st = wire.FirstFound(rest)
	}
	for rest, st := b, wire.StatusOK; st == wire.StatusOK && len(rest) > 0; {
		_, rest, st = wire.FirstLog(rest)
	}
	for rest, st := b, wire.StatusOK; st == wire.StatusOK && len(rest) > 0; {
		_, rest, st = wire.FirstArg(rest)
	}
}

// FuzzRecords holds that records and arguments that are read are written back
// to the same bytes.
func FuzzRecords(f *testing.F) {
	f.Add(wire.AppendIntItem(nil, 7, true, []byte("v")))
	f.Add(wire.AppendBytesItem(nil, []byte("key"), false, nil))
	f.Add(wire.AppendFound(nil, wire.Found{Value: []byte("abc"), Version: 5}))
	f.Add(wire.AppendFound(nil, wire.Found{Partial: true, Size: 70000, Version: 5}))
	f.Add(wire.AppendLog(nil, wire.LogRecord{Seq: 1, Text: []byte("line")}))
	f.Add(wire.AppendDouble(wire.AppendString(nil, "abc"), 2.5))
	f.Fuzz(func(t *testing.T, b []byte) {
		if it, rest, st := wire.FirstItem(b); st == wire.StatusOK {
			again := wire.AppendIntItem(nil, it.Int, it.Deleted, it.Value)
			if it.Bytes != nil {
				again = wire.AppendBytesItem(nil, it.Bytes, it.Deleted, it.Value)
			}
			same(t, again, b, rest)
		}
		if found, rest, st := wire.FirstFound(b); st == wire.StatusOK {
			same(t, wire.AppendFound(nil, found), b, rest)
		}
		if l, rest, st := wire.FirstLog(b); st == wire.StatusOK {
			same(t, wire.AppendLog(nil, l), b, rest)
		}
		if a, rest, st := wire.FirstArg(b); st == wire.StatusOK {
			same(t, rewriteArg(a), b, rest)
		}
	})
}

func same(t *testing.T, again, b, rest []byte) {
	t.Helper()
	if read := b[:len(b)-len(rest)]; !bytes.Equal(again, read) {
		t.Fatalf("written anew\n%x\nfrom\n%x", again, read)
	}
}

func rewriteArg(a wire.Arg) []byte {
	switch a.Tag() {
	case wire.TagFalse, wire.TagTrue:
		return wire.AppendBool(nil, a.Tag() == wire.TagTrue)
	case wire.TagInt:
		return wire.AppendInt(nil, a.Int())
	case wire.TagDouble:
		return wire.AppendDouble(nil, a.Double())
	case wire.TagString:
		return wire.AppendString(nil, string(a.Bytes()))
	case wire.TagBytes:
		return wire.AppendBytes(nil, a.Bytes())
	case wire.TagJSON:
		return wire.AppendJSON(nil, a.Bytes())
	}
	return wire.AppendNull(nil)
}

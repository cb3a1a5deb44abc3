package pktproc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"shredder/pktproc/wire"
	"shredder/store"
)

// TestOperations walks through every data operation, with and without options.
func TestOperations(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	op := func(code wire.Opcode, flags uint8, words []uint64, key, value string) func(*wire.Writer) {
		return func(w *wire.Writer) {
			w.Begin(code, flags, 0)
			for _, v := range words {
				w.Word(v)
			}
			w.Key([]byte(key))
			w.Value([]byte(value))
		}
	}
	v1 := must(t, c.one(opSet("k", "hello")), wire.StatusOK).Word(0)
	if v1 == 0 {
		t.Fatal("version 0")
	}
	got := must(t, c.one(opGet("k")), wire.StatusOK)
	if string(got.Value()) != "hello" || got.Word(0) != v1 || got.Word(1) != 5 {
		t.Fatalf("%q %d %d", got.Value(), got.Word(0), got.Word(1))
	}
	// ifVersion: 0 creates, another is a conflict that names the current one.
	conflict := must(t, c.one(op(wire.OpSet, wire.OpFlagIfVersion, []uint64{0, 0}, "k", "x")), wire.StatusConflict)
	if conflict.Word(0) != v1 {
		t.Fatalf("conflict names %d, want %d", conflict.Word(0), v1)
	}
	v2 := must(t, c.one(op(wire.OpSet, wire.OpFlagIfVersion, []uint64{0, v1}, "k", "hallo")), wire.StatusOK).Word(0)
	// Ranges.
	got = must(t, c.one(op(wire.OpGet, wire.OpFlagRange, []uint64{v2, 1<<32 | 3}, "k", "")), wire.StatusOK)
	if string(got.Value()) != "all" || got.Word(1) != 5 {
		t.Fatalf("range: %q of %d", got.Value(), got.Word(1))
	}
	if got = must(t, c.one(op(wire.OpGet, wire.OpFlagRange, []uint64{v1, 5}, "k", "")), wire.StatusChanged); got.Word(0) != v2 {
		t.Fatalf("CHANGED names %d", got.Word(0))
	}
	must(t, c.one(op(wire.OpGet, wire.OpFlagRange, []uint64{0, 6 << 32}, "k", "")), wire.StatusBadArgument)
	// CAS.
	v3 := must(t, c.one(op(wire.OpCAS, 0, []uint64{5}, "k", "halloneu")), wire.StatusOK).Word(0)
	if got = must(t, c.one(op(wire.OpCAS, 0, []uint64{5}, "k", "halloneu")), wire.StatusConflict); got.Word(0) != v3 {
		t.Fatalf("CAS conflict names %d", got.Word(0))
	}
	must(t, c.one(op(wire.OpCAS, 0, []uint64{1}, "none", "ab")), wire.StatusNotFound)
	// TTL.
	ttl := must(t, c.one(op(wire.OpTTL, 0, nil, "k", "")), wire.StatusOK)
	if int64(ttl.Word(1)) != -1 {
		t.Fatalf("ttl %d", int64(ttl.Word(1)))
	}
	must(t, c.one(op(wire.OpTTL, wire.OpFlagTTL, []uint64{500}, "k", "")), wire.StatusOK)
	r.advance(200)
	if ttl = c.one(op(wire.OpTTL, 0, nil, "k", "")); ttl.Word(1) != 300 {
		t.Fatalf("ttl %d", ttl.Word(1))
	}
	r.advance(400)
	must(t, c.one(opGet("k")), wire.StatusNotFound)
	must(t, c.one(op(wire.OpSet, wire.OpFlagTTL, []uint64{100}, "k", "x")), wire.StatusOK)
	must(t, c.one(opGet("k")), wire.StatusOK)
	r.advance(101)
	must(t, c.one(opGet("k")), wire.StatusNotFound)
	// INCR and DELETE.
	if got = must(t, c.one(opIncr("n", 5)), wire.StatusOK); got.Word(1) != 5 {
		t.Fatalf("incr: %d", got.Word(1))
	}
	if got = must(t, c.one(opIncr("n", -7)), wire.StatusOK); int64(got.Word(1)) != -2 {
		t.Fatalf("incr: %d", int64(got.Word(1)))
	}
	must(t, c.one(opSet("text", "x")), wire.StatusOK)
	must(t, c.one(opIncr("text", 1)), wire.StatusNotInteger)
	must(t, c.one(opDelete("text")), wire.StatusOK)
	must(t, c.one(opDelete("text")), wire.StatusNotFound)
	// An integer and its decimal text are one key.
	must(t, c.one(opSet("42", "x")), wire.StatusOK)
	if got = must(t, c.one(opGetInt(42)), wire.StatusOK); string(got.Value()) != "x" {
		t.Fatalf("%q", got.Value())
	}
	// What does not exist.
	must(t, c.one(op(99, 0, nil, "", "")), wire.StatusUnsupported)
	must(t, c.one(op(wire.OpGet, wire.OpFlagTTL, nil, "k", "")), wire.StatusUnsupported)
	must(t, c.one(op(wire.OpGet, 0, nil, "", "")), wire.StatusMalformed)
	must(t, c.one(op(wire.OpPing, 0, []uint64{1}, "", "")), wire.StatusMalformed)
}

func items(keys ...any) (uint64, []byte) {
	var b []byte
	for _, k := range keys {
		switch k := k.(type) {
		case int:
			b = wire.AppendIntItem(b, uint64(k), false, nil)
		case string:
			b = wire.AppendBytesItem(b, []byte(k), false, nil)
		}
	}
	return uint64(len(keys)), b
}

func opMultiGet(keys ...any) func(*wire.Writer) {
	return func(w *wire.Writer) {
		n, b := items(keys...)
		w.Begin(wire.OpMultiGet, 0, 0)
		w.Word(n)
		w.Value(b)
	}
}

func TestMultiGet(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	put(t, l, "a", "first")
	put(t, l, "7", "seven")
	put(t, l, "big", strings.Repeat("b", 5000))
	put(t, l, "z", "")
	for _, flags := range []uint8{0, wire.FlagReceipt} {
		_, ops := c.send(flags, opMultiGet("a", 7, "none", "big", "z"))
		op := must(t, ops[0], wire.StatusOK)
		var got []string
		for b := op.Value(); len(b) > 0; {
			f, rest, st := wire.FirstFound(b)
			if st != wire.StatusOK {
				t.Fatal(st)
			}
			b = rest
			got = append(got, fmt.Sprintf("%v %q %v %d", f.Status, f.Value, f.Partial, f.Size))
		}
		want := `[OK "first" false 5 OK "seven" false 5 NOT_FOUND "" false 0 OK "" true 5000 OK "" false 0]`
		if fmt.Sprint(got) != want || op.Word(0) != 5 {
			t.Fatalf("%v", got)
		}
		if rc, ok := op.Receipt(); ok != (flags != 0) || ok && (rc.Lookups != 5 || rc.BytesRead != 10 || rc.BytesReturned != 10) {
			t.Fatalf("receipt %+v %v", rc, ok)
		}
	}
}

func TestScan(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	want := map[string]bool{}
	for i := range 500 {
		k := fmt.Sprint(i * 3)
		if i%2 == 0 {
			k = strings.Repeat("k", i) + k
		}
		put(t, l, k, "v")
		want[k] = true
	}
	seen := map[string]bool{}
	cursor := uint64(0)
	for range 10_000 {
		op := must(t, c.one(func(w *wire.Writer) { w.Begin(wire.OpScan, 0, 0); w.Word(cursor); w.Word(10) }), wire.StatusOK)
		n := 0
		for b := op.Value(); len(b) > 0; n++ {
			it, rest, st := wire.FirstItem(b)
			if st != wire.StatusOK {
				t.Fatal(st)
			}
			b = rest
			if it.Bytes == nil {
				seen[fmt.Sprint(it.Int)] = true
			} else {
				seen[string(it.Bytes)] = true
			}
		}
		if n != int(op.Word(1)) {
			t.Fatalf("%d items, said %d", n, op.Word(1))
		}
		if cursor = op.Word(0); cursor == 0 {
			break
		}
	}
	if len(seen) != len(want) || cursor != 0 {
		t.Fatalf("saw %d of %d keys", len(seen), len(want))
	}
}

// TestGets: a datagram of GETs alone takes a road of its own, with the same
// replies as one with another operation behind.
func TestGets(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	for i := range 60 {
		put(t, l, fmt.Sprint("k", i), strings.Repeat("v", i*i))
	}
	put(t, l, "7", "seven")
	for n := 2; n < 40; n++ {
		gets := func(w *wire.Writer) {
			for i := range n {
				opGet(fmt.Sprint("k", (i*7+n)%70))(w)
			}
			opGetInt(7)(w)
		}
		_, alone := c.send(0, gets)
		_, mixed := c.send(0, all(gets, opPing("")))
		if len(alone) != n+1 || len(mixed) != n+2 {
			t.Fatalf("%d and %d replies to %d GETs", len(alone), len(mixed), n+1)
		}
		for i, op := range alone {
			if mixed[i].Flags() != 0 || mixed[i].Status() == wire.StatusTooLarge {
				break // from here on the PING's 8 bytes make a difference
			}
			if string(op) != string(mixed[i]) {
				t.Fatalf("%d GETs, reply %d: %v %d bytes, %v %d", n, i, op.Status(), len(op.Value()), mixed[i].Status(), len(mixed[i].Value()))
			}
		}
	}
}

// TestManyOperations: several operations of a datagram take effect in order,
// and a large GET leaves the others their room.
func TestManyOperations(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	put(t, l, "big", strings.Repeat("b", 9000))
	for _, flags := range []uint8{0, wire.FlagReceipt} {
		h, ops := c.send(flags, all(opSet("x", "1"), opIncr("x", 1), opGet("x"), opGet("big"), opIncr("x", 1), opDelete("none"), opGet("x"), opPing("end")))
		if h.Status() != wire.StatusOK || len(ops) != 8 {
			t.Fatalf("%v, %d operations", h.Status(), len(ops))
		}
		if string(ops[2].Value()) != "2" || ops[4].Word(1) != 3 || string(ops[7].Value()) != "end" {
			t.Fatalf("out of order: %q %d %q", ops[2].Value(), ops[4].Word(1), ops[7].Value())
		}
		if ops[3].Flags()&wire.OpFlagPartial == 0 || ops[3].Word(1) != 9000 || len(ops[3].Value()) < 500 {
			t.Fatalf("big: %d bytes, flags %x", len(ops[3].Value()), ops[3].Flags())
		}
		must(t, ops[5], wire.StatusNotFound)
	}
	// As many operations as fit: every one is answered.
	for n := 1; n <= wire.MaxOps; n++ {
		h, ops := c.send(0, func(w *wire.Writer) {
			for range n {
				opIncr("c", 1)(w)
				if w.Overflow() {
					w.Rewind()
					break
				}
			}
		})
		if h.Status() != wire.StatusOK || len(ops) == 0 || len(ops) < min(n, 44) {
			t.Fatalf("%d INCRs: %v with %d replies", n, h.Status(), len(ops))
		}
		for _, op := range ops {
			must(t, op, wire.StatusOK)
		}
	}
}

func TestAtomic(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	statuses := func(ops []wire.Op) (s []string) {
		for _, op := range ops {
			s = append(s, op.Status().String())
		}
		return s
	}
	_, ops := c.send(wire.FlagAtomic, all(opSet("a", "1"), opIncr("a", 1), opGet("a"), opGet("none"), opSet("b", "2")))
	if fmt.Sprint(statuses(ops)) != "[OK OK OK NOT_FOUND OK]" || string(ops[2].Value()) != "2" || stored(l, "b", r.now.UnixMillis) != "2" {
		t.Fatalf("%v", statuses(ops))
	}
	put(t, l, "text", "t")
	h, ops := c.send(wire.FlagAtomic, all(opSet("a", "9"), opDelete("b"), opIncr("text", 1), opSet("b", "9")))
	if fmt.Sprint(statuses(ops)) != "[ABORTED ABORTED NOT_INTEGER ABORTED]" || h.Status() != wire.StatusOK {
		t.Fatalf("%v", statuses(ops))
	}
	if stored(l, "a", r.now.UnixMillis) != "2" || stored(l, "b", r.now.UnixMillis) != "2" {
		t.Fatal("an aborted datagram left writes")
	}
	// A failure keeps its words, here the current version.
	_, ops = c.send(wire.FlagAtomic, all(opSet("c", "9"), func(w *wire.Writer) {
		w.Begin(wire.OpSet, wire.OpFlagIfVersion, 0)
		w.Word(0)
		w.Word(12345)
		w.Key([]byte("a"))
	}))
	e, _ := l.Shard.Get(store.BytesKey([]byte("a")), r.now.UnixMillis)
	if fmt.Sprint(statuses(ops)) != "[ABORTED CONFLICT]" || ops[1].Word(0) != e.Version {
		t.Fatalf("%v %d", statuses(ops), ops[1].Word(0))
	}
	_, ops = c.send(wire.FlagAtomic, all(opGet("a"), func(w *wire.Writer) { w.Begin(wire.OpStats, 0, 0) }))
	if fmt.Sprint(statuses(ops)) != "[ABORTED UNSUPPORTED]" {
		t.Fatalf("%v", statuses(ops))
	}
	_, ops = c.send(wire.FlagAtomic, all(opGet("a"), opGet("b")))
	if fmt.Sprint(statuses(ops)) != "[OK OK]" {
		t.Fatalf("%v", statuses(ops))
	}
	// What has no place on an overlay.
	_, ops = c.send(wire.FlagAtomic, all(opSet("c", "9"), func(w *wire.Writer) { w.Begin(wire.OpStats, 0, 0) }))
	if fmt.Sprint(statuses(ops)) != "[ABORTED UNSUPPORTED]" || stored(l, "c", r.now.UnixMillis) != "<none>" {
		t.Fatalf("%v", statuses(ops))
	}
}

func TestStatsAndLogs(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.hello(path{}, l, 0, dataToken)
	for i := range l.Counters {
		l.Counters[i] = 1 << 60 // as long as they get
	}
	op := must(t, c.one(func(w *wire.Writer) { w.Begin(wire.OpStats, 0, 0) }), wire.StatusOK)
	text := op.Value()
	if op.Flags()&wire.OpFlagPartial != 0 {
		text = c.pull(c.seq, 0, op.Word(0))
	}
	var v struct {
		Tenant   string
		Counters map[string]uint64
		Limits   map[string]int64
	}
	if err := json.Unmarshal(text, &v); err != nil || v.Tenant != "one" || v.Limits["waiting"] != 64 || v.Counters["writes"] != 1<<60 {
		t.Fatalf("%v: %s", err, text)
	}
	for i := range 200 {
		l.Log.Append(int64(i), 2, bytes.Repeat([]byte{'x'}, i))
	}
	next, n := uint64(0), 0
	for {
		op := must(t, c.one(func(w *wire.Writer) { w.Begin(wire.OpLogs, 0, 0); w.Word(next); w.Word(50) }), wire.StatusOK)
		if op.Word(1) == 0 {
			break
		}
		for b := op.Value(); len(b) > 0; n++ {
			rec, rest, st := wire.FirstLog(b)
			if st != wire.StatusOK || len(rec.Text) != int(rec.UnixMillis) {
				t.Fatalf("%v %+v", st, rec)
			}
			b = rest
		}
		next = op.Word(0)
	}
	if n != 200 || next != 201 {
		t.Fatalf("%d records, next %d", n, next)
	}
}

// pull fetches a kept result.
func (c *client) pull(seq uint32, index int, total uint64) []byte {
	c.r.tb.Helper()
	var b []byte
	for uint64(len(b)) < total {
		op := must(c.r.tb, c.one(func(w *wire.Writer) {
			w.Begin(wire.OpResult, 0, 0)
			w.Word(uint64(seq))
			w.Word(uint64(len(b))<<32 | 1000)
			w.Word(uint64(index))
		}), wire.StatusOK)
		if op.Word(0) != total || len(op.Value()) == 0 {
			c.r.tb.Fatalf("RESULT: %d bytes of %d", len(op.Value()), op.Word(0))
		}
		b = append(b, op.Value()...)
	}
	return b
}

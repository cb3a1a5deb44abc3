package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// randomDatagram writes a random datagram into buf and returns what was asked
// for, so that a test can compare it with what Parse finds.
type wantedOp struct {
	code   Opcode
	flags  uint8
	status Status
	words  []uint64
	intKey uint64
	key    []byte
	value  []byte
}

func randomOp(rng *rand.Rand) wantedOp {
	op := wantedOp{code: Opcode(rng.Uint32()), status: Status(rng.Uint32())}
	op.flags = uint8(rng.Uint32()) &^ (OpFlagIntKey | OpFlagReceipt)
	for range rng.IntN(6) {
		op.words = append(op.words, rng.Uint64())
	}
	if rng.IntN(2) == 0 {
		op.flags |= OpFlagIntKey
		op.intKey = rng.Uint64() >> 11
	} else {
		op.key = randomBytes(rng, rng.IntN(40))
	}
	op.value = randomBytes(rng, rng.IntN(100))
	return op
}

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func (op *wantedOp) write(w *Writer) {
	w.Begin(op.code, op.flags, op.status)
	for _, v := range op.words {
		w.Word(v)
	}
	if op.flags&OpFlagIntKey != 0 {
		w.IntKey(op.intKey)
	} else {
		w.Key(op.key)
	}
	half := len(op.value) / 2
	w.Value(op.value[:half])
	n := copy(w.ValueRoom(), op.value[half:])
	w.ValueDone(n)
	if n < len(op.value)-half {
		w.ValueDone(len(w.ValueRoom()) + 1)
	}
	w.End()
}

func (op *wantedOp) compare(t *testing.T, got Op) {
	t.Helper()
	if got.Code() != op.code || got.Flags() != op.flags || got.Status() != op.status || got.Words() != len(op.words) {
		t.Fatalf("operation %x does not match %+v", []byte(got), op)
	}
	for i, v := range op.words {
		if got.Word(i) != v {
			t.Fatalf("word %d is %x, want %x", i, got.Word(i), v)
		}
	}
	if got.Word(len(op.words)) != 0 {
		t.Fatal("an absent word is not 0")
	}
	n, isInt := got.IntKey()
	if isInt != (op.flags&OpFlagIntKey != 0) || n != op.intKey || (!isInt && !bytes.Equal(got.Key(), op.key)) {
		t.Fatalf("key %d %v %x, want %+v", n, isInt, got.Key(), op)
	}
	if !bytes.Equal(got.Value(), op.value) {
		t.Fatalf("value %x, want %x", got.Value(), op.value)
	}
}

func TestWriterAndParseAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var guarded [MaxDatagram + 64]byte
	for range 5000 {
		for i := range guarded {
			guarded[i] = 0xa5
		}
		size := HeaderSize + rng.IntN(MaxDatagram-HeaderSize+1)
		w := NewWriter(guarded[:0:size])
		var kept []wantedOp
		for range 1 + rng.IntN(MaxOps+8) {
			op := randomOp(rng)
			op.write(&w)
			if w.Overflow() {
				w.Rewind()
				if w.Overflow() {
					t.Fatal("Rewind left the overflow")
				}
				continue
			}
			kept = append(kept, op)
		}
		fields := HeaderFields{Flags: FlagReceipt, Session: rng.Uint32(), Secret: rng.Uint64(), Seq: rng.Uint32(),
			First: rng.Uint32(), Port: uint16(rng.Uint32()), DeadlineMillis: rng.Uint32()}
		b := w.Finish(fields)
		if !bytes.Equal(guarded[size:], bytes.Repeat([]byte{0xa5}, len(guarded)-size)) {
			t.Fatal("written outside the buffer")
		}
		h, ops, st := Parse(b)
		if len(kept) == 0 {
			if st != StatusMalformed {
				t.Fatalf("no operation: %v", st)
			}
			continue
		}
		if st != StatusOK || h.Ops() != len(kept) {
			t.Fatalf("%v, %d operations, want %d", st, h.Ops(), len(kept))
		}
		if h.Flags() != fields.Flags || h.Session() != fields.Session || h.Secret() != fields.Secret || h.Seq() != fields.Seq ||
			h.First() != fields.First || h.Port() != fields.Port || h.DeadlineMillis() != fields.DeadlineMillis {
			t.Fatalf("header %x, want %+v", []byte(h), fields)
		}
		for i := range kept {
			op, rest, ok := FirstOp(ops)
			if !ok {
				t.Fatal("fewer operations than the header says")
			}
			kept[i].compare(t, op)
			ops = rest
		}
		if _, _, ok := FirstOp(ops); ok {
			t.Fatal("more operations than the header says")
		}
	}
}

func TestWriterReplacesWhatDoesNotFit(t *testing.T) {
	buf := make([]byte, 0, 96)
	w := NewWriter(buf)
	w.Begin(OpPing, 0, StatusOK)
	w.Value([]byte("pong"))
	w.End()
	if room := w.Room(); room != 96-HeaderSize-16-OpHeaderSize {
		t.Fatalf("room %d", room)
	}
	w.Begin(OpGet, 0, StatusOK)
	w.Word(1)
	w.Value(make([]byte, 41))
	w.End()
	if !w.Overflow() || w.Room() != 0 || w.ValueRoom() != nil {
		t.Fatal("41 bytes fitted into 32")
	}
	w.Rewind()
	w.Begin(OpGet, 0, StatusTooLarge)
	w.End()
	w.Begin(OpGet, 0, StatusOK)
	w.Value(make([]byte, 80))
	b := w.Finish(HeaderFields{Flags: FlagReply})
	h, ops, st := Parse(b)
	if st != StatusOK || h.Ops() != 2 {
		t.Fatalf("%v, %d operations", st, h.Ops())
	}
	_, ops, _ = FirstOp(ops)
	op, _, _ := FirstOp(ops)
	if op.Status() != StatusTooLarge {
		t.Fatalf("second operation: %v", op.Status())
	}
}

func TestWriterLimits(t *testing.T) {
	for _, size := range []int{0, 1, HeaderSize - 1} {
		w := NewWriter(make([]byte, 0, size))
		w.Begin(OpPing, 0, 0)
		w.Rewind()
		if b := w.Finish(HeaderFields{}); b != nil || !w.Overflow() {
			t.Fatalf("a datagram of %d bytes in a buffer of %d", len(b), size)
		}
	}
	w := NewWriter(make([]byte, 4096))
	for range MaxOps {
		w.Begin(OpStats, 0, 0)
		w.End()
	}
	if w.Room() != 0 {
		t.Fatalf("room %d after %d operations", w.Room(), MaxOps)
	}
	w.Begin(OpStats, 0, 0)
	if !w.Overflow() {
		t.Fatal("one operation too many")
	}
	w = NewWriter(make([]byte, 4096))
	w.Begin(OpPing, 0, 0)
	for range MaxWords + 1 {
		w.Word(1)
	}
	if !w.Overflow() {
		t.Fatal("one word too many")
	}
	w = NewWriter(make([]byte, 4096))
	w.Begin(OpGet, 0, 0)
	w.Key(make([]byte, MaxKeyLen+1))
	if !w.Overflow() {
		t.Fatal("a key of 1025 bytes")
	}
	w = NewWriter(make([]byte, 4096))
	w.Word(1)
	if !w.Overflow() {
		t.Fatal("a word outside an operation")
	}
}

func TestReceipt(t *testing.T) {
	w := NewWriter(make([]byte, 256))
	want := Receipt{Fuel: 1, Lookups: 2, BytesRead: 3, BytesReturned: 4, Tier: 1}
	w.Begin(OpGet, 0, StatusOK)
	w.Word(7)
	w.Word(0)
	w.SetWord(1, 8)
	w.Receipt(want)
	w.Value([]byte("v"))
	w.AddFlags(OpFlagPartial)
	w.SetStatus(StatusChanged)
	_, ops, st := Parse(w.Finish(HeaderFields{Flags: FlagReply}))
	if st != StatusOK {
		t.Fatal(st)
	}
	op, _, _ := FirstOp(ops)
	got, ok := op.Receipt()
	if !ok || got != want || op.Words() != 2 || op.Word(0) != 7 || op.Word(1) != 8 || op.Word(2) != 0 {
		t.Fatalf("%+v %v, %d words", got, ok, op.Words())
	}
	if op.Flags() != OpFlagPartial|OpFlagReceipt || op.Status() != StatusChanged || string(op.Value()) != "v" {
		t.Fatalf("flags %x, %v, %q", op.Flags(), op.Status(), op.Value())
	}
}

func TestNoAllocation(t *testing.T) {
	buf := make([]byte, MaxDatagram)
	value := make([]byte, 128)
	sum := uint64(0)
	n := testing.AllocsPerRun(100, func() {
		w := NewWriter(buf)
		for i := range uint64(4) {
			w.Begin(OpSet, OpFlagTTL, 0)
			w.Word(i)
			w.IntKey(i)
			w.Value(value)
			w.End()
		}
		_, ops, st := Parse(w.Finish(HeaderFields{Seq: 1}))
		sum += uint64(st)
		for op, rest, ok := FirstOp(ops); ok; op, rest, ok = FirstOp(rest) {
			key, _ := op.IntKey()
			sum += key + op.Word(0) + uint64(len(op.Value())) + uint64(CheckOp(op))
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

var sink int

func BenchmarkParse(b *testing.B) {
	buf := make([]byte, MaxDatagram)
	for _, c := range []struct {
		name string
		ops  int
	}{{"ops=1", 1}, {"ops=8", 8}} {
		w := NewWriter(buf)
		for range c.ops {
			w.Begin(OpGet, 0, 0)
			w.IntKey(7)
			w.End()
		}
		d := w.Finish(HeaderFields{})
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				_, ops, st := Parse(d)
				sink += len(ops) + int(st)
			}
		})
		b.Run(c.name+"/walk", func(b *testing.B) {
			for b.Loop() {
				_, ops, _ := Parse(d)
				for op, rest, ok := FirstOp(ops); ok; op, rest, ok = FirstOp(rest) {
					key, _ := op.IntKey()
					sink += int(CheckOp(op)) + int(key)
				}
			}
		})
	}
}

func BenchmarkWriteReply(b *testing.B) {
	buf := make([]byte, MaxDatagram)
	value := make([]byte, 128)
	for b.Loop() {
		w := NewWriter(buf)
		w.Begin(OpGet, 0, 0)
		w.Word(1)
		w.Word(128)
		w.Value(value)
		w.End()
		sink += len(w.Finish(HeaderFields{Flags: FlagReply, Seq: 1}))
	}
}

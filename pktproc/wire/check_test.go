package wire

import "testing"

// one parses a datagram of the operation that build writes.
func one(t *testing.T, build func(w *Writer)) Op {
	t.Helper()
	w := NewWriter(make([]byte, MaxDatagram))
	build(&w)
	_, ops, st := Parse(w.Finish(HeaderFields{Seq: 1}))
	if st != StatusOK {
		t.Fatalf("the test's own datagram is %v", st)
	}
	op, _, _ := FirstOp(ops)
	return op
}

func TestCheckOp(t *testing.T) {
	type shape struct {
		code  Opcode
		flags uint8
		words []uint64
		key   string
		value int
	}
	for _, c := range []struct {
		name string
		shape
		want Status
	}{
		{"opcode 0", shape{code: 0}, StatusUnsupported},
		{"opcode above the last", shape{code: OpResult + 1}, StatusUnsupported},
		{"reply flag in a request", shape{code: OpGet, flags: OpFlagReceipt | OpFlagPartial, words: make([]uint64, 5), key: "k"}, StatusUnsupported},
		{"ping with a word", shape{code: OpPing, words: []uint64{1}}, StatusMalformed},
		{"ping with a key", shape{code: OpPing, key: "k"}, StatusMalformed},
		{"get with a value", shape{code: OpGet, key: "k", value: 1}, StatusMalformed},
		{"get with words but no range", shape{code: OpGet, words: []uint64{0, 0}, key: "k"}, StatusMalformed},
		{"range with one word", shape{code: OpGet, flags: OpFlagRange, words: []uint64{0}, key: "k"}, StatusMalformed},
		{"set with a word too many", shape{code: OpSet, words: []uint64{1}, key: "k"}, StatusMalformed},
		{"set that lives no time", shape{code: OpSet, flags: OpFlagTTL, words: []uint64{0}, key: "k"}, StatusBadArgument},
		{"set that lives too long", shape{code: OpSet, flags: OpFlagTTL, words: []uint64{MaxTTLMillis + 1}, key: "k"}, StatusBadArgument},
		{"set of a push with a value too", shape{code: OpSet, flags: OpFlagPushed, words: []uint64{0, 0, 1}, key: "k", value: 1}, StatusMalformed},
		{"set with everything", shape{code: OpSet, flags: OpFlagPushed | OpFlagTTL | OpFlagIfVersion, words: []uint64{1, 0, 1}, key: "k"}, StatusOK},
		{"delete with a version and no flag", shape{code: OpDelete, words: []uint64{1}, key: "k"}, StatusMalformed},
		{"incr without a word", shape{code: OpIncr, key: "k"}, StatusMalformed},
		{"ttl that lives too long", shape{code: OpTTL, flags: OpFlagTTL, words: []uint64{1 << 63}, key: "k"}, StatusBadArgument},
		{"multi-get of nothing", shape{code: OpMultiGet, words: []uint64{0}}, StatusMalformed},
		{"scan of too many", shape{code: OpScan, words: []uint64{0, MaxScanLimit + 1}}, StatusBadArgument},
		{"call without a name", shape{code: OpCall}, StatusMalformed},
		{"call with a long name", shape{code: OpCall, key: string(make([]byte, MaxNameLen+1))}, StatusMalformed},
		{"deploy without a name", shape{code: OpFn, words: []uint64{FnDeploy, 0}, value: 9}, StatusMalformed},
		{"deploy with an unknown flag", shape{code: OpFn, words: []uint64{FnDeploy, 2}, key: "l"}, StatusUnsupported},
		{"pushed deploy without the push", shape{code: OpFn, flags: OpFlagPushed, words: []uint64{FnDeploy, 1}, key: "l"}, StatusMalformed},
		{"pushed deploy", shape{code: OpFn, flags: OpFlagPushed, words: []uint64{FnDeploy, 1, 7}, key: "l"}, StatusOK},
		{"activate with a name", shape{code: OpFn, words: []uint64{FnActivate}, key: "l", value: 64}, StatusMalformed},
		{"empty push", shape{code: OpPushBegin, words: []uint64{0, MaxSegment}}, StatusBadArgument},
		{"short segments", shape{code: OpPushBegin, words: []uint64{1, MinSegment - 8}}, StatusBadArgument},
		{"segments of no whole words", shape{code: OpPushBegin, words: []uint64{1, 1001}}, StatusBadArgument},
		{"empty segment", shape{code: OpPush, words: []uint64{1, 0}}, StatusMalformed},
		{"largest segment", shape{code: OpPush, words: []uint64{1, 0}, value: MaxSegment}, StatusOK},
		{"hello with a step of its own", shape{code: OpHello, words: []uint64{3}, value: 100}, StatusUnsupported},
		{"hello2 without a proof", shape{code: OpHello, words: []uint64{2, 0, 1, 1}, key: "t", value: CookieSize}, StatusMalformed},
		{"hello2 with a role of its own", shape{code: OpHello, words: []uint64{2, 2, 1, 1}, key: "t", value: CookieSize + ProofSize}, StatusBadArgument},
		{"stats with a value", shape{code: OpStats, value: 1}, StatusMalformed},
	} {
		op := one(t, func(w *Writer) {
			flags := c.flags
			w.Begin(c.code, flags, 0)
			for _, v := range c.words {
				w.Word(v)
			}
			w.Key([]byte(c.key))
			w.Value(make([]byte, c.value))
		})
		if got := CheckOp(op); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	answered := one(t, func(w *Writer) { w.Begin(OpPing, 0, StatusBusy) })
	if st := CheckOp(answered); st != StatusMalformed {
		t.Errorf("a request with a status: %v", st)
	}
}

func TestFirstArgRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want Status
	}{
		{"nothing", nil, StatusMalformed},
		{"unknown tag", []byte{8}, StatusUnsupported},
		{"short integer", []byte{TagInt, 0, 0, 0, 0, 0, 0, 0}, StatusMalformed},
		{"integer 2^53", AppendInt(nil, 1<<53), StatusBadArgument},
		{"integer -2^53", AppendInt(nil, -1<<53), StatusBadArgument},
		{"double that is 7", append([]byte{TagDouble}, 0, 0, 0, 0, 0, 0, 0x1c, 0x40), StatusBadArgument},
		{"string without its length", []byte{TagString, 1, 0, 0}, StatusMalformed},
		{"string that leaves the value", []byte{TagString, 4, 0, 0, 0, 'a', 'b', 'c'}, StatusMalformed},
		{"string of 4 GB", []byte{TagBytes, 0xff, 0xff, 0xff, 0xff}, StatusMalformed},
		{"string that is no UTF-8", []byte{TagString, 1, 0, 0, 0, 0xff}, StatusBadArgument},
		{"JSON that is no UTF-8", []byte{TagJSON, 1, 0, 0, 0, 0xff}, StatusBadArgument},
		{"bytes that are no UTF-8", []byte{TagBytes, 1, 0, 0, 0, 0xff}, StatusOK},
	} {
		if _, _, st := FirstArg(c.b); st != c.want {
			t.Errorf("%s: %v, want %v", c.name, st, c.want)
		}
	}
}

// TestRecorded agrees with the column of docs/wire-format.md.
func TestRecorded(t *testing.T) {
	recorded := map[Opcode]bool{OpSet: true, OpDelete: true, OpIncr: true, OpCAS: true, OpCall: true, OpFn: true, OpPushBegin: true, OpKill: true}
	for code := Opcode(0); int(code) < Opcodes; code++ {
		op := one(t, func(w *Writer) { w.Begin(code, 0, 0) })
		if op.Recorded() != recorded[code] {
			t.Errorf("%v: recorded is %v", code, op.Recorded())
		}
	}
	if op := one(t, func(w *Writer) { w.Begin(OpTTL, OpFlagTTL, 0); w.Word(0) }); !op.Recorded() {
		t.Error("setting a TTL is not recorded")
	}
}

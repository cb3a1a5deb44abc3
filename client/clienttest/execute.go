package clienttest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"shredder/pktproc/wire"
)

// execution is one datagram being executed.
type execution struct {
	server  *Server
	session *session
	w       wire.Writer
	flags   uint8
	results map[int][]byte
	index   int
	rest    []byte // the operations behind the one being executed
}

func (x *execution) run(ops []byte) {
	if x.flags&wire.FlagAtomic != 0 && x.runAtomic(ops) {
		return
	}
	for op, rest, ok := wire.FirstOp(ops); ok; op, rest, ok = wire.FirstOp(rest) {
		x.rest = rest
		x.operation(op)
		x.index++
	}
}

// runAtomic answers an atomic datagram one of whose CAS or conditional SETs
// cannot succeed, and says so; all else is left to run.
func (x *execution) runAtomic(ops []byte) bool {
	failing, n := -1, 0
	for op, rest, ok := wire.FirstOp(ops); ok; op, rest, ok = wire.FirstOp(rest) {
		e, _ := x.server.state.find(keyText(op))
		if op.Code() == wire.OpSet && op.Flags()&wire.OpFlagIfVersion != 0 && op.Word(1) != e.version {
			failing = n
		}
		n++
	}
	if failing < 0 {
		return false
	}
	for op, rest, ok := wire.FirstOp(ops); ok; op, rest, ok = wire.FirstOp(rest) {
		if x.index == failing {
			x.operation(op)
		} else {
			x.fail(op, wire.StatusAborted, "")
		}
		x.index++
	}
	return true
}

func (x *execution) fail(op wire.Op, st wire.Status, reason string) {
	x.w.Begin(op.Code(), 0, st)
	x.w.Value([]byte(reason))
	x.w.End()
}

// reply writes an OK with words and a value.
func (x *execution) reply(op wire.Op, value []byte, words ...uint64) {
	x.w.Begin(op.Code(), 0, wire.StatusOK)
	for _, word := range words {
		x.w.Word(word)
	}
	if x.flags&wire.FlagReceipt != 0 || op.Code() == wire.OpTry {
		x.w.Receipt(wire.Receipt{Fuel: 10, Lookups: 1, BytesRead: 2, BytesReturned: uint64(len(value)), Tier: 0})
	}
	x.w.Value(value)
	x.w.End()
}

func (x *execution) operation(op wire.Op) {
	if st := wire.CheckOp(op); st != wire.StatusOK {
		x.fail(op, st, "")
		return
	}
	x.server.counts[op.Code()]++
	s := &x.server.state
	switch op.Code() {
	case wire.OpPing:
		x.reply(op, op.Value())
	case wire.OpGet:
		x.get(op)
	case wire.OpSet, wire.OpDelete, wire.OpIncr, wire.OpCAS, wire.OpTTL:
		x.change(op)
	case wire.OpMultiGet:
		x.multiGet(op)
	case wire.OpScan:
		x.scan(op)
	case wire.OpCall:
		x.call(op)
	case wire.OpTry:
		x.try(op)
	case wire.OpFn:
		x.fn(op)
	case wire.OpLogs:
		x.logs(op)
	case wire.OpKill:
		x.fail(op, wire.StatusNotFound, "no call is being executed")
	case wire.OpStats:
		x.reply(op, fmt.Appendf(nil, `{"tenant":"dev","entries":%d}`, len(s.entries)))
	case wire.OpPushBegin, wire.OpPush:
		x.push(op)
	case wire.OpResult:
		x.result(op)
	}
}

func (x *execution) get(op wire.Op) {
	e, ok := x.server.state.find(keyText(op))
	if !ok {
		x.fail(op, wire.StatusNotFound, "")
		return
	}
	total := uint64(len(e.value))
	if op.Flags()&wire.OpFlagRange != 0 {
		off, length := op.Word(1)>>32, op.Word(1)&0xffffffff
		if v := op.Word(0); v != 0 && v != e.version {
			x.w.Begin(op.Code(), 0, wire.StatusChanged)
			x.w.Word(e.version)
			x.w.End()
			return
		}
		off = min(off, total)
		end := min(off+length, total, off+wire.MaxSegment)
		x.reply(op, e.value[off:end], e.version, total)
		return
	}
	reserved := 3 * len(x.rest) // the other replies' room, receipts included
	x.reply(op, e.value, e.version, total)
	if x.w.Overflow() || x.w.Room() < reserved {
		x.w.Rewind()
		x.w.Begin(op.Code(), wire.OpFlagPartial, wire.StatusOK)
		x.w.Word(e.version)
		x.w.Word(total)
		x.w.Value(e.value[:min(len(e.value), max(x.w.Room()-reserved, 0))])
		x.w.End()
	}
}

func (x *execution) change(op wire.Op) {
	s := &x.server.state
	key := keyText(op)
	e, found := s.find(key)
	conflict := func() {
		x.w.Begin(op.Code(), 0, wire.StatusConflict)
		x.w.Word(e.version)
		x.w.End()
	}
	var value []byte
	expires := e.expires
	switch op.Code() {
	case wire.OpSet:
		if op.Flags()&wire.OpFlagIfVersion != 0 && op.Word(1) != e.version {
			conflict()
			return
		}
		if expires = (time.Time{}); op.Flags()&wire.OpFlagTTL != 0 {
			expires = time.Now().Add(time.Duration(op.Word(0)) * time.Millisecond)
		}
		if value = op.Value(); op.Flags()&wire.OpFlagPushed != 0 {
			p := s.pushes[op.Word(2)]
			if p == nil || len(p.missing) > 0 {
				x.fail(op, wire.StatusNoPush, "")
				return
			}
			delete(s.pushes, op.Word(2))
			value = p.block
		}
	case wire.OpIncr:
		n := int64(0)
		if found {
			var err error
			if n, err = strconv.ParseInt(string(e.value), 10, 64); err != nil {
				x.fail(op, wire.StatusNotInteger, "")
				return
			}
		}
		delta := int64(op.Word(0))
		if (delta > 0 && n > math.MaxInt64-delta) || (delta < 0 && n < math.MinInt64-delta) {
			x.fail(op, wire.StatusOverflow, "")
			return
		}
		version := s.put(key, strconv.AppendInt(nil, n+delta, 10), expires)
		x.reply(op, nil, version, uint64(n+delta))
		return
	default:
		x.changeFound(op, key, e, found, conflict)
		return
	}
	x.reply(op, nil, s.put(key, value, expires))
}

// changeFound is the changes that need an entry.
func (x *execution) changeFound(op wire.Op, key string, e entry, found bool, conflict func()) {
	s := &x.server.state
	if !found {
		x.fail(op, wire.StatusNotFound, "")
		return
	}
	switch op.Code() {
	case wire.OpDelete:
		if op.Flags()&wire.OpFlagIfVersion != 0 && op.Word(0) != e.version {
			conflict()
			return
		}
		delete(s.entries, key)
		x.reply(op, nil, e.version)
	case wire.OpCAS:
		old := op.Value()[:op.Word(0)]
		if !bytes.Equal(old, e.value) {
			conflict()
			return
		}
		x.reply(op, nil, s.put(key, op.Value()[len(old):], e.expires))
	case wire.OpTTL:
		if op.Flags()&wire.OpFlagTTL != 0 {
			if e.expires = (time.Time{}); op.Word(0) != 0 {
				e.expires = time.Now().Add(time.Duration(op.Word(0)) * time.Millisecond)
			}
			s.entries[key] = e
		}
		left := int64(-1)
		if !e.expires.IsZero() {
			left = time.Until(e.expires).Milliseconds()
		}
		x.reply(op, nil, e.version, uint64(left))
	}
}

func (x *execution) multiGet(op wire.Op) {
	var out []byte
	rest, n := op.Value(), op.Word(0)
	for i := n; i > 0; i-- {
		var it wire.Item
		it, rest, _ = wire.FirstItem(rest)
		e, ok := x.server.state.find(itemText(it))
		reserved := int(i-1) * wire.FoundHeaderSize
		switch {
		case !ok:
			out = wire.AppendFound(out, wire.Found{Status: wire.StatusNotFound})
		case len(out)+wire.FoundSize(len(e.value))+reserved > x.w.Room()-48-wire.OpHeaderSize:
			out = wire.AppendFound(out, wire.Found{Partial: true, Size: uint32(len(e.value)), Version: e.version})
		default:
			out = wire.AppendFound(out, wire.Found{Value: e.value, Version: e.version})
		}
	}
	x.reply(op, out, n)
}

func (x *execution) scan(op wire.Op) {
	keys := x.server.state.sortedKeys()
	from := min(int(op.Word(0)), len(keys))
	var out []byte
	n := 0
	for _, key := range keys[from:] {
		item := appendItem(nil, key, false, nil)
		if n == int(op.Word(1)) || len(out)+len(item) > 1200 {
			break
		}
		out = append(out, item...)
		n++
	}
	next := from + n
	if next == len(keys) {
		next = 0
	}
	x.reply(op, out, uint64(next), uint64(n))
}

func (x *execution) logs(op wire.Op) {
	var out []byte
	next, n := max(op.Word(0), 1), uint64(0)
	for _, r := range x.server.state.records {
		if r.Seq < next || n == op.Word(1) || len(out)+wire.LogSize(len(r.Text)) > 1200 {
			continue
		}
		out = wire.AppendLog(out, r)
		next = r.Seq + 1
		n++
	}
	x.reply(op, out, next, n)
}

func (x *execution) push(op wire.Op) {
	s := &x.server.state
	if op.Code() == wire.OpPushBegin {
		p := &push{block: make([]byte, op.Word(0)), segment: int(op.Word(1)), missing: map[int]bool{}}
		for off := 0; off < len(p.block); off += p.segment {
			p.missing[off] = true
		}
		id := s.nextPush
		s.nextPush++
		s.pushes[id] = p
		x.reply(op, nil, id)
		return
	}
	p := s.pushes[op.Word(0)]
	if p == nil {
		x.fail(op, wire.StatusNoPush, "")
		return
	}
	off := int(op.Word(1))
	if off%p.segment != 0 || off >= len(p.block) || len(op.Value()) != min(p.segment, len(p.block)-off) {
		x.fail(op, wire.StatusBadArgument, "")
		return
	}
	copy(p.block[off:], op.Value())
	delete(p.missing, off)
	x.reply(op, nil, uint64(len(p.missing)))
}

func (x *execution) result(op wire.Op) {
	r := x.session.records[uint32(op.Word(0))]
	whole, ok := r.results[int(op.Word(2))]
	if !ok {
		x.fail(op, wire.StatusNotFound, "")
		return
	}
	off, length := int(op.Word(1)>>32), int(op.Word(1)&0xffffffff)
	off = min(off, len(whole))
	x.reply(op, whole[off:min(off+length, len(whole), off+wire.MaxSegment)], uint64(len(whole)))
}

// explained is how this server's one function runs.
const explained = `{"library":"lib","hash":%q,"active":true,"trust":"trusted","functions":[{"name":"f","tier":0,
"reason":{"text":"a regular expression is not compiled: compare texts","line":2,"column":9,"source":"\treturn /x/.test(s);"},
"forms":[{"arguments":["string"],"state":"refused","code_size":0,"widened":0,"guards":[]},
{"arguments":["integer"],"state":"compiled","code_size":812,"widened":1,"guards":[{"text":"an integer result is −0","line":1,"column":3,"source":"f(-n)","failed":4}]}],
"calls":[3,1],"deopts":4,"compilations":2,"fuel":12.5,"lookups":1,"bytes_read":8,"bytes_returned":9}]}`

func (x *execution) fn(op wire.Op) {
	s := &x.server.state
	hash := string(op.Value())
	switch op.Word(0) {
	case wire.FnDeploy:
		source := op.Value()
		if op.Flags()&wire.OpFlagPushed != 0 {
			p := s.pushes[op.Word(2)]
			if p == nil || len(p.missing) > 0 {
				x.fail(op, wire.StatusNoPush, "")
				return
			}
			source = p.block
		}
		if bytes.Contains(source, []byte("syntax error")) {
			x.w.Begin(op.Code(), 0, wire.StatusBadLibrary)
			x.w.Word(3)
			x.w.Word(7)
			x.w.Value([]byte("unexpected token"))
			x.w.End()
			return
		}
		sum := sha256.Sum256(source)
		hash = hex.EncodeToString(sum[:])
		if !slices.Contains(s.hashes, hash) {
			s.hashes = append(s.hashes, hash)
		}
		if op.Word(1) == wire.FnFlagActivate {
			s.active = slices.Index(s.hashes, hash)
		}
		x.reply(op, []byte(hash))
	case wire.FnList:
		out := []byte(`{"versions":[`)
		for i, h := range s.hashes {
			out = fmt.Appendf(out, `%s{"hash":%q,"library":"lib","functions":["f"],"source_size":9,"deployed_ms":1700000000000,"active":%v}`, map[bool]string{true: ",", false: ""}[i > 0], h, i == s.active)
		}
		x.reply(op, append(out, "]}"...))
	case wire.FnExplain:
		if hash == "" && s.active >= 0 && s.active < len(s.hashes) {
			hash = s.hashes[s.active]
		}
		if !slices.Contains(s.hashes, hash) {
			x.fail(op, wire.StatusNoVersion, "")
			return
		}
		x.reply(op, fmt.Appendf(nil, explained, hash))
	case wire.FnActivate, wire.FnDelete:
		i := slices.Index(s.hashes, hash)
		if i < 0 {
			x.fail(op, wire.StatusNoVersion, "")
			return
		}
		if op.Word(0) == wire.FnActivate {
			s.active = i
		} else if i == s.active {
			x.fail(op, wire.StatusConflict, "the version is active")
			return
		} else {
			s.hashes = slices.Delete(s.hashes, i, i+1)
			if i < s.active {
				s.active--
			}
		}
		x.reply(op, nil)
	case wire.FnRollback:
		if s.active < 1 {
			x.fail(op, wire.StatusNoVersion, "")
			return
		}
		s.active--
		x.reply(op, nil)
	}
}

// call knows a few functions: echo(x) returns its argument, count(key) adds 1
// to a key, large(n) returns n bytes, throw(text) throws, sleep(ms) sleeps.
func (x *execution) call(op wire.Op) {
	encoded, ok := x.function(op)
	if !ok {
		return
	}
	x.reply(op, encoded)
	if x.w.Overflow() {
		x.w.Rewind()
		if x.results == nil {
			x.results = map[int][]byte{}
		}
		x.results[x.index] = encoded
		x.w.Begin(op.Code(), wire.OpFlagPartial, wire.StatusOK)
		x.w.Word(uint64(len(encoded)))
		x.w.End()
	}
}

func (x *execution) function(op wire.Op) (encoded []byte, ok bool) {
	a := wire.Arg(wire.AppendNull(nil))
	if len(op.Value()) > 0 {
		var st wire.Status
		if a, _, st = wire.FirstArg(op.Value()); st != wire.StatusOK {
			x.fail(op, st, "")
			return nil, false
		}
	}
	switch string(op.Key()) {
	case "echo":
		return bytes.Clone(a), true
	case "sleep":
		return wire.AppendString(nil, "slept"), true
	case "large":
		block := make([]byte, a.Int())
		for i := range block {
			block[i] = byte(i * 7)
		}
		return wire.AppendBytes(nil, block), true
	case "count":
		s := &x.server.state
		e, _ := s.find(string(a.Bytes()))
		n, _ := strconv.ParseInt(string(e.value), 10, 64)
		if op.Code() == wire.OpCall {
			s.put(string(a.Bytes()), strconv.AppendInt(nil, n+1, 10), time.Time{})
		}
		return wire.AppendInt(nil, n+1), true
	case "throw":
		x.w.Begin(op.Code(), 0, wire.StatusException)
		x.w.Word(12)
		x.w.Word(5)
		x.w.Value(a.Bytes())
		x.w.End()
		return nil, false
	}
	x.fail(op, wire.StatusNoFunction, "")
	return nil, false
}

// try answers with a write set of one change and one deletion.
func (x *execution) try(op wire.Op) {
	encoded, ok := x.function(op)
	if !ok {
		return
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(encoded)))
	out = append(out, encoded...)
	out = wire.AppendBytesItem(out, []byte("written"), false, []byte("new"))
	out = wire.AppendIntItem(out, 7, true, nil)
	x.reply(op, out)
}

package resp

import (
	"strconv"
	"unicode/utf8"

	"shredder/internal/resp/proto"
	"shredder/pktproc"
	"shredder/pktproc/wire"
)

// preparedCall is what a call needs of the heap, made before the lcore has it.
type preparedCall struct {
	args    []byte // in wire encoding
	refusal string // instead of a call
}

// prepare does what a command needs before the lcore has it: a call's arguments
// are encoded, which takes memory.
func (it *item) prepare() {
	if !it.cmd.call {
		return
	}
	it.call = new(preparedCall)
	args := it.args[2:]
	if it.cmd.keys {
		n, err := strconv.Atoi(string(it.args[2]))
		switch args = it.args[3:]; {
		case err != nil:
			it.call.refusal = "ERR Bad number of keys provided"
			return
		case n > len(args):
			it.call.refusal = "ERR Number of keys can't be greater than number of args"
			return
		case n < 0:
			it.call.refusal = "ERR Number of keys can't be negative"
			return
		}
	}
	size := 0
	for _, a := range args {
		size += 9 + len(a)
	}
	it.call.args = make([]byte, 0, size)
	for _, a := range args {
		it.call.args = appendArg(it.call.args, a)
	}
}

// appendArg encodes an argument as a function sees it: the canonical text of a safe
// integer is that number, other text is a string, and what is no UTF-8 is bytes.
func appendArg(dst, a []byte) []byte {
	if n, ok := canonicalInt(a); ok {
		return wire.AppendInt(dst, n)
	}
	if utf8.Valid(a) {
		return wire.AppendString(dst, string(a))
	}
	return wire.AppendBytes(dst, a)
}

// canonicalInt reads decimal text as a number prints it: no plus, no leading zeros, no −0.
func canonicalInt(a []byte) (int64, bool) {
	if len(a) == 0 || len(a) > 17 {
		return 0, false
	}
	n, err := strconv.ParseInt(string(a), 10, 64)
	if err != nil || !wire.SafeInt(n) {
		return 0, false
	}
	var text [20]byte
	return n, string(strconv.AppendInt(text[:0], n, 10)) == string(a)
}

// deferred is a reply, or a part of one, that the connection's goroutine makes: it
// belongs where the output ended when the lcore came to it.
type deferred struct {
	at     int
	item   *item // of a transaction, answered by the connection
	status wire.Status
	value  []byte // an encoded result, owned
	text   []byte // says why not
	line   int
	column int
}

// fcall calls a function: FCALL, FCALL_RO and JS.
func (r *run) fcall(x *pktproc.Exec, it *item) pktproc.BatchStep {
	if it.call.refusal != "" {
		r.w.Error(it.call.refusal)
		return pktproc.BatchDone
	}
	res, st := x.Call(it.args[1], it.call.args, it.cmd.readOnly)
	if st != pktproc.BatchDone {
		return st
	}
	if res.Status == wire.StatusOK && r.scalar(res.Value) {
		return pktproc.BatchDone
	}
	d := deferred{at: len(r.w.Bytes()), status: res.Status, line: res.Line, column: res.Column}
	if res.Status == wire.StatusOK {
		d.value = x.TakeResult()
	} else {
		d.text = append([]byte(nil), res.Message...)
	}
	r.later = append(r.later, d)
	return pktproc.BatchDone
}

// scalar answers with a result that is short and has no structure.
func (r *run) scalar(value []byte) bool {
	a, _, st := wire.FirstArg(value)
	if st != wire.StatusOK || len(a) > r.w.Room()/2 || a.Tag() == wire.TagJSON {
		return false
	}
	appendResult(r.w, a)
	return true
}

// appendResult answers with a result that is no JSON.
func appendResult(w *proto.Writer, a wire.Arg) {
	switch a.Tag() {
	case wire.TagNull:
		w.Null()
	case wire.TagFalse, wire.TagTrue:
		w.Bool(a.Tag() == wire.TagTrue)
	case wire.TagInt:
		w.Int(a.Int())
	case wire.TagDouble:
		w.Double(a.Double())
	default:
		w.Bulk(a.Bytes())
	}
}

// settle puts the deferred replies where they belong.
func (r *run) settle() {
	if len(r.later) == 0 {
		return
	}
	made := r.w.Bytes()
	r.w.Reset(make([]byte, 0, len(made)+outStart), r.c.version)
	from := 0
	for i := range r.later {
		d := &r.later[i]
		r.w.Raw(made[from:d.at])
		from = d.at
		r.answer(d)
	}
	r.w.Raw(made[from:])
	clear(r.later)
	r.later = r.later[:0]
}

func (r *run) answer(d *deferred) {
	switch {
	case d.item != nil:
		d.item.cmd.local(r.c, d.item.args)
	case d.status != wire.StatusOK:
		r.w.Error(callError(d))
	default:
		a, _, st := wire.FirstArg(d.value)
		switch {
		case st != wire.StatusOK:
			r.w.Error("ERR The function's result cannot be read: " + st.String())
		case a.Tag() == wire.TagJSON:
			appendJSON(r.w, a.Bytes())
		default:
			appendResult(r.w, a)
		}
	}
}

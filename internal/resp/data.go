package resp

import (
	"strconv"

	"shredder/internal/resp/keyspace"
	"shredder/pktproc"
	"shredder/pktproc/wire"
	"shredder/store"
)

// What a command has to do with the values of its keys.
type values uint8

const (
	valuesNone    values = iota // no more than a few bytes of one
	valuesTouched               // reads or copies them
	valuesReplied               // answers with them
	valuesGet                   // GET
	valuesSet                   // SET, which may answer with one
)

// valuesOf are the commands that move values.
var valuesOf = map[string]values{
	"get": valuesGet, "set": valuesSet,
	"mget": valuesReplied, "getset": valuesReplied, "getdel": valuesReplied, "getex": valuesReplied,
	"getrange": valuesReplied, "substr": valuesReplied, "lcs": valuesReplied,
	"append": valuesTouched, "setrange": valuesTouched, "setbit": valuesTouched, "copy": valuesTouched,
	"rename": valuesTouched, "renamenx": valuesTouched, "bitcount": valuesTouched, "bitpos": valuesTouched,
}

// textTooLarge is Redis' answer to a string that is too long.
const textTooLarge = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"

// bulkRoom is what a bulk string takes besides its bytes.
const bulkRoom = 32

// data executes a command of the keyspace. Those that move a long value pause, so
// that no turn moves more than a turn may; those whose reply does not fit wait
// until their connection has made room, so that none is made on the lcore.
func (r *run) data(x *pktproc.Exec, it *item) pktproc.BatchStep {
	cmd := it.cmd
	switch {
	case cmd.values == valuesGet:
		return r.get(x, it)
	case cmd.values == valuesSet && len(it.args) == 3:
		if it.size > longArgs {
			return r.setLong(x, it)
		}
	case cmd.values != valuesNone:
		size := r.sizeOf(cmd, it.args)
		if cmd.values != valuesTouched && r.lacks(size+roomLeast) {
			return pktproc.BatchWait
		}
		if size+it.size > longArgs && !x.Long() {
			return pktproc.BatchLong
		}
	case (it.size > longArgs || cmd.data.Flags&keyspace.Long != 0) && !x.Long():
		return pktproc.BatchLong
	}
	before := len(r.w.Bytes())
	r.db.Pause = nil
	if x.Long() {
		r.db.Pause = x.Pause
	}
	cmd.data.Run(&r.db, it.args, r.w)
	if x.Long() && x.Stopped() != wire.StatusOK {
		r.w.Reset(r.w.Bytes()[:before], r.c.version)
		r.w.Error(statusText(x.Stopped()))
	}
	return pktproc.BatchDone
}

// lacks says whether the reply has not so much room: then the batch goes back to its
// connection for more. A transaction, which must not be taken apart, gets it at once.
func (r *run) lacks(n int) bool {
	switch {
	case r.w.Room() >= n:
		return false
	case r.c.multi.begun:
		r.w.Grow(n)
		return false
	}
	r.room, r.short = n, true
	return true
}

// sizeOf is how many bytes the values of the command's keys have, and what their
// replies take besides.
func (r *run) sizeOf(cmd *command, args [][]byte) int {
	size := 0
	last := cmd.last
	if last < 0 {
		last += len(args)
	}
	for i := cmd.first; i <= last && i < len(args); i += cmd.step {
		e, _ := r.db.Shard.Get(store.BytesKey(args[i]), r.db.NowMillis)
		size += len(e.Value) + bulkRoom
	}
	return size
}

// get executes GET.
func (r *run) get(x *pktproc.Exec, it *item) pktproc.BatchStep {
	key := store.BytesKey(it.args[1])
	var e store.Entry
	var res store.Result
	if it.spotted {
		e, res = r.db.Shard.GetAt(it.spot, it.hash, key, r.db.NowMillis)
	} else {
		e, res = r.db.Shard.Get(key, r.db.NowMillis)
	}
	switch {
	case res == store.Corrupt:
		return r.damaged(x)
	case res != store.OK:
		r.w.Null()
		return pktproc.BatchDone
	case r.lacks(len(e.Value) + bulkRoom):
		return pktproc.BatchWait
	case len(e.Value) <= longArgs:
		r.w.Bulk(e.Value)
		return pktproc.BatchDone
	case !x.Long():
		return pktproc.BatchLong
	}
	before := len(r.w.Bytes())
	var head [bulkRoom]byte
	r.w.Raw(append(strconv.AppendInt(append(head[:0], '$'), int64(len(e.Value)), 10), "\r\n"...))
	if !r.pieces(x, len(e.Value), func(from, to int) { r.w.Raw(e.Value[from:to]) }) {
		r.w.Reset(r.w.Bytes()[:before], r.c.version)
		r.w.Error(statusText(x.Stopped()))
		return pktproc.BatchDone
	}
	r.w.Raw([]byte("\r\n"))
	return pktproc.BatchDone
}

// pieces moves size bytes in pieces of what a turn may move. What runs in between
// does not change the tenant's data. false: it was ended from outside.
func (r *run) pieces(x *pktproc.Exec, size int, move func(from, to int)) bool {
	for from := 0; from < size; from += longArgs {
		if from > 0 && !x.Pause() {
			return false
		}
		move(from, min(from+longArgs, size))
	}
	return true
}

// setLong executes SET with a long value, straight into where it will stay.
func (r *run) setLong(x *pktproc.Exec, it *item) pktproc.BatchStep {
	if !x.Long() {
		return pktproc.BatchLong
	}
	value := it.args[2]
	b, res := r.db.Shard.Reserve(uint32(min(len(value), store.MaxValueSize+1)))
	if res != store.OK {
		r.fail(x, res)
		return pktproc.BatchDone
	}
	if !r.pieces(x, len(value), func(from, to int) { copy(b.Bytes()[from:to], value[from:to]) }) {
		r.db.Shard.Release(b)
		r.w.Error(statusText(x.Stopped()))
		return pktproc.BatchDone
	}
	r.turn(x)
	if _, res = r.db.Shard.SetBlock(store.BytesKey(it.args[1]), b, store.SetOptions{}, r.db.NowMillis); res != store.OK {
		r.db.Shard.Release(b)
		r.fail(x, res)
		return pktproc.BatchDone
	}
	r.w.Simple("OK")
	return pktproc.BatchDone
}

func (r *run) damaged(x *pktproc.Exec) pktproc.BatchStep {
	x.Damaged()
	r.w.Error(statusText(wire.StatusQuarantined))
	return pktproc.BatchDone
}

// fail answers with why the store did not do it.
func (r *run) fail(x *pktproc.Exec, res store.Result) {
	switch res {
	case store.Corrupt:
		r.damaged(x)
	case store.TooLarge:
		r.w.Error(textTooLarge)
	default:
		r.w.Error(statusText(wire.StatusFull))
	}
}

package pktproc

import (
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// wrote counts a change of n value bytes.
func (r *request) wrote(n int) {
	c := &r.t.local.Counters
	c[tenants.CounterWrites]++
	c[tenants.CounterBytesWritten] += uint64(n)
}

// set executes SET with all its options.
func (p *Processor) set(r *request, op wire.Op) {
	flags := op.Flags()
	o := store.SetOptions{}
	now := p.now.UnixMillis
	if flags&wire.OpFlagTTL != 0 {
		o.ExpireMillis = now + int64(op.Word(0))
	}
	if flags&wire.OpFlagIfVersion != 0 {
		o.IfVersion, o.HasIfVersion = op.Word(1), true
	}
	if flags&wire.OpFlagPushed != 0 {
		p.setPushed(r, op, o)
		return
	}
	var version uint64
	var res store.Result
	if r.overlay {
		version, res = r.t.shard.Overlay().Set(keyOf(op), op.Value(), o)
	} else {
		version, res = r.t.shard.Set(keyOf(op), op.Value(), o, now)
	}
	p.answerVersion(r, op, version, res, len(op.Value()))
}

// answerVersion answers a change with its version, a conflict with the one
// that is there.
func (p *Processor) answerVersion(r *request, op wire.Op, version uint64, res store.Result, wrote int) {
	r.cost.Lookups = 1
	switch res {
	case store.OK:
		if !r.overlay {
			r.wrote(wrote)
		}
		r.reply1(op, wire.StatusOK, version)
	case store.Conflict:
		r.reply1(op, wire.StatusConflict, version)
	default:
		r.fail(op, p.status(r.t, res))
	}
}

func (p *Processor) delete(r *request, op wire.Op) {
	hasIf := op.Flags()&wire.OpFlagIfVersion != 0
	var version uint64
	var res store.Result
	if r.overlay {
		version, res = r.t.shard.Overlay().Delete(keyOf(op), op.Word(0), hasIf)
	} else {
		version, res = r.t.shard.Delete(keyOf(op), op.Word(0), hasIf, p.now.UnixMillis)
	}
	p.answerVersion(r, op, version, res, 0)
}

func (p *Processor) incr(r *request, op wire.Op) {
	var value int64
	var version uint64
	var res store.Result
	if r.overlay {
		value, version, res = r.t.shard.Overlay().Incr(keyOf(op), int64(op.Word(0)))
	} else {
		value, version, res = r.t.shard.Incr(keyOf(op), int64(op.Word(0)), p.now.UnixMillis)
	}
	r.cost.Lookups = 1
	if res != store.OK {
		r.fail(op, p.status(r.t, res))
		return
	}
	if !r.overlay {
		r.wrote(8)
	}
	r.reply2(op, wire.StatusOK, version, uint64(value))
}

// cas swaps a value: the request's holds the expected one and, behind it, the new.
func (p *Processor) cas(r *request, op wire.Op) {
	value := op.Value()
	split := int(op.Word(0))
	var version uint64
	var res store.Result
	if r.overlay {
		version, res = r.t.shard.Overlay().Swap(keyOf(op), value[:split], value[split:])
	} else {
		version, res = r.t.shard.Swap(keyOf(op), value[:split], value[split:], p.now.UnixMillis)
	}
	p.answerVersion(r, op, version, res, len(value)-split)
}

// setTTL sets or removes an expiry.
func (p *Processor) setTTL(r *request, op wire.Op) {
	now := p.now.UnixMillis
	expire := int64(0)
	if ttl := op.Word(0); ttl != 0 {
		expire = now + int64(ttl)
	}
	var version uint64
	var res store.Result
	if r.overlay {
		version, res = r.t.shard.Overlay().Expire(keyOf(op), expire)
	} else {
		version, res = r.t.shard.Expire(keyOf(op), expire, now)
	}
	r.cost.Lookups = 1
	if res != store.OK {
		r.fail(op, p.status(r.t, res))
		return
	}
	if !r.overlay {
		r.wrote(0)
	}
	r.reply2(op, wire.StatusOK, version, remaining(expire, now))
}

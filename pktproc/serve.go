package pktproc

import (
	"encoding/binary"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// Sets of opcodes, a bit each. TTL counts as a read unless it sets one.
const (
	bitTTLSet = 1 << 31

	// maskAtomic may stand in an atomic datagram.
	maskAtomic = 1<<wire.OpGet | 1<<wire.OpSet | 1<<wire.OpDelete | 1<<wire.OpIncr | 1<<wire.OpCAS | 1<<wire.OpTTL |
		1<<wire.OpMultiGet | 1<<wire.OpScan | 1<<wire.OpCall
	maskCalls = 1<<wire.OpCall | 1<<wire.OpTry
	// maskImmediate are served although a call of the tenant is suspended: plain
	// reads, which see the last commit, and what touches no entry.
	maskImmediate = 1<<wire.OpPing | 1<<wire.OpGet | 1<<wire.OpTTL | 1<<wire.OpMultiGet | 1<<wire.OpScan |
		1<<wire.OpStats | 1<<wire.OpLogs | 1<<wire.OpKill | 1<<wire.OpPush | 1<<wire.OpResult | 1<<0
	maskRecorded = 1<<wire.OpSet | 1<<wire.OpDelete | 1<<wire.OpIncr | 1<<wire.OpCAS | 1<<wire.OpCall |
		1<<wire.OpFn | 1<<wire.OpPushBegin | 1<<wire.OpKill | bitTTLSet
)

// maskKeyed are the operations whose key is one of the store's; 0, which stands for
// several operations, is none.
const maskKeyed = 1<<wire.OpGet | 1<<wire.OpSet | 1<<wire.OpDelete | 1<<wire.OpIncr | 1<<wire.OpCAS | 1<<wire.OpTTL | bitTTLSet

// maxSeq is the highest sequence number of the window; those above are for
// datagrams that are not recorded.
const maxSeq = 1<<31 - 1

// opMask is the set of opcodes in ops; unknown ones are bit 0.
func opMask(ops []byte) (mask uint32) {
	for {
		op, rest, ok := wire.FirstOp(ops)
		if !ok {
			return mask
		}
		ops = rest
		code := op.Code()
		switch {
		case int(code) >= wire.Opcodes:
			mask |= 1
		case code == wire.OpTTL && op.Flags()&wire.OpFlagTTL != 0:
			mask |= bitTTLSet
		default:
			mask |= 1 << code
		}
	}
}

// serve is the last pass: it executes one request and leaves its reply in the
// frame, or keeps a copy of what cannot be answered now.
func (p *Processor) serve(f *nic.Frame, pf *parsed) {
	switch pf.kind {
	case kindRequest:
	case kindRefuse:
		p.refuse(f, &pf.l, pf.status)
		return
	case kindHello:
		p.serveHello(f, pf)
		return
	default:
		return
	}
	t := pf.t
	t.local.Counters[tenants.CounterRequests]++
	p.publisher.Touch(t.local)
	if t.quarantined {
		p.refuse(f, &pf.l, wire.StatusQuarantined)
		return
	}
	p.attend(f, pf)
	switch {
	case pf.several:
		p.serveGets(f, pf, p.wantInts(f, pf))
		return
	case pf.plain && pf.single == wire.OpGet:
		p.serveGet(f, pf)
		return
	case pf.plain:
		if p.fastSet(f, pf) {
			return
		}
		pf.unfold(f)
	case pf.h.Flags()&^wire.FlagTrusted == 0:
		switch pf.single {
		case wire.OpSet:
			if p.fastSet(f, pf) {
				return
			}
		case wire.OpGet, 0:
			if !onlyGets(pf.ops) {
				break
			}
			if pf.single != 0 {
				p.serveGet(f, pf)
			} else {
				p.serveGets(f, pf, p.wantKeys(pf))
			}
			return
		}
	}
	p.serveSlow(f, pf)
}

// attend notes that a request's session is in use, and what it acknowledges.
func (p *Processor) attend(f *nic.Frame, pf *parsed) {
	s := pf.s
	if s == nil {
		return
	}
	s.seen = p.now.seconds()
	if first := wire.Header(f.Data[pf.l.payload():]).First(); first > s.base {
		p.advance(s, pf.t, first)
	}
}

// finishFast finishes the reply of a fast path.
func (p *Processor) finishFast(f *nic.Frame, pf *parsed, ops int, status wire.Status, bodyLen int) {
	if pf.plain {
		p.finishPlain(f, ops, status, bodyLen)
	} else {
		p.finish(f, &pf.l, ops, status, bodyLen)
	}
}

// fastSet executes a lone SET without options, if nothing of the tenant waits.
func (p *Processor) fastSet(f *nic.Frame, pf *parsed) bool {
	t, at := pf.t, pf.l.payload()
	b := f.Data[at:]
	op := wire.Op(b[wire.HeaderSize : int(pf.l.end)-at])
	head := binary.LittleEndian.Uint64(op)
	if uint32(head)&^(wire.OpFlagIntKey<<8) != uint32(wire.OpSet) || head>>32&0xffff == 0 || t.busy() {
		return false
	}
	seq := wire.Header(b).Seq()
	if pf.s != nil {
		if seq-1 >= maxSeq {
			return false
		}
		if v := p.take(pf.s, t, seq); v != verdictNew {
			p.answerDuplicate(f, &pf.l, pf.s, t, seq, v)
			return true
		}
	}
	value := op.Value()
	version, res := t.shard.SetAt(pf.at, pf.hash, pf.key(f), value, p.now.UnixMillis)
	body := b[wire.HeaderSize:]
	st := p.status(t, res)
	end := 8
	c := &t.local.Counters
	if st == wire.StatusOK {
		end = 16
		c[tenants.CounterWrites]++
		c[tenants.CounterBytesWritten] += uint64(len(value))
		binary.LittleEndian.PutUint64(body[8:], version)
	}
	putOp(body, wire.OpSet, 0, st, (end-8)/8, 0)
	c[tenants.CounterOperations]++
	p.n.Ops[wire.OpSet]++
	if pf.s != nil {
		p.record(pf.s, t, seq, wire.StatusOK, 1, body[:end])
	}
	p.finishFast(f, pf, 1, wire.StatusOK, end)
	return true
}

// answerDuplicate answers what the window does not let through.
func (p *Processor) answerDuplicate(f *nic.Frame, l *offsets, s *session, t *tenant, seq uint32, v verdict) {
	p.n.Duplicates++
	t.local.Counters[tenants.CounterDuplicates]++
	switch v {
	case verdictDone:
		p.resend(f, l, s, seq)
	case verdictPending:
		p.refuse(f, l, wire.StatusPending)
	default:
		p.refuse(f, l, wire.StatusStale)
	}
}

// serveSlow serves every datagram that the fast paths leave.
func (p *Processor) serveSlow(f *nic.Frame, pf *parsed) {
	t := pf.t
	mask := opMask(pf.ops)
	seq := pf.h.Seq()
	recorded := pf.s != nil && mask&maskRecorded != 0
	if p.closed {
		p.refuse(f, &pf.l, wire.StatusShutdown)
		return
	}
	if recorded {
		if seq-1 >= maxSeq {
			p.refuse(f, &pf.l, wire.StatusMalformed)
			return
		}
		if v := p.take(pf.s, t, seq); v != verdictNew {
			p.answerDuplicate(f, &pf.l, pf.s, t, seq, v)
			return
		}
	}
	waits := mask&^maskImmediate != 0 && t.busy()
	if waits || mask&maskCalls != 0 || pf.single == wire.OpFn {
		if st := p.serveTask(f, pf, mask, recorded); st != wire.StatusOK {
			if recorded {
				p.record(pf.s, t, seq, st, 0, nil) // a copy must not be executed after this answer
			}
			p.refuse(f, &pf.l, st)
		}
		return
	}
	r := &p.inline
	n := copy(p.scratch[:], pf.ops)
	r.begin(pf, p.scratch[:n])
	r.hashed = p.touchKeys(pf, mask)
	r.readOnly = mask&^maskImmediate == 0
	r.room = len(p.payload(f, &pf.l))
	room := p.payload(f, &pf.l)
	r.w = wire.NewWriter(room)
	p.runOps(r)
	status := r.close()
	if recorded {
		p.record(pf.s, t, seq, status, r.w.Ops(), room[wire.HeaderSize:r.w.Len()])
	}
	p.finish(f, &pf.l, r.w.Ops(), status, r.w.Len()-wire.HeaderSize)
	r.t = nil
}

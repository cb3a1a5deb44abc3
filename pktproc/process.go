package pktproc

import (
	"encoding/binary"

	"shredder/dataplane/nic"
	"shredder/internal/prefetch"
	"shredder/pktproc/wire"
	"shredder/store"
)

// kind is what parse made of a frame.
type kind uint8

const (
	kindDone    kind = iota // dropped, or a host duty whose answer stands in the frame
	kindRequest             // execute it
	kindHello
	kindRefuse // answer with the status alone
)

// parsed is what is known of one frame of the burst between the passes. Its
// slices and pointers are valid within the burst.
type parsed struct {
	kind    kind
	plain   bool // came by parsePlain: h and ops are not set before unfold
	several bool // plain, and more than one GET of integer keys, intGetSize bytes each
	hashed  bool
	trusted bool
	status  wire.Status // for kindRefuse
	single  wire.Opcode // the opcode, if there is only one operation
	l       offsets
	h       wire.Header
	ops     []byte
	s       *session
	t       *tenant
	hash    uint64     // of the lone operation's key, if hashed
	at      store.Spot // of the same
}

// unfold sets header and operations of what came by parsePlain.
func (pf *parsed) unfold(f *nic.Frame) {
	pf.h = wire.MakeHeader(f.Data[plainPayload:])
	pf.ops = f.Data[plainOps:pf.l.end:pf.l.end]
}

// Process serves one burst and marks the frames that are now replies. It takes
// the burst in passes, so that the cache misses of its frames overlap: frames
// and sessions, then bucket lines, then entry lines, then execution in order
// of arrival.
func (p *Processor) Process(b *nic.Burst, now Clock) {
	p.beginTurn(now)
	frames := b.Frames[:min(b.N, nic.BurstSize)]
	all := p.parsed[:len(frames)]
	p.n.Frames += uint64(len(frames))
	left := false
	for i := range frames {
		p.parse(&frames[i], &all[i], frames[i].Checksum == nic.ChecksumUnknown)
		left = left || all[i].kind != kindDone
	}
	if !left { // a burst of PINGs, or of what is not for us
		return
	}
	p.touchTenants(all)
	n := 0
	for i := range all {
		pf := &all[i]
		if pf.kind != kindRequest {
			continue
		}
		if p.locate(&frames[i], pf); pf.hashed {
			p.lines[n] = pf.t.shard.BucketLine(pf.hash)
			n++
		}
	}
	prefetch.Lines(p.lines[:n])
	n = 0
	for i := range all {
		if pf := &all[i]; pf.hashed {
			pf.at, p.lines[n] = pf.t.shard.FindSpot(pf.hash)
			n++
		}
	}
	prefetch.Blocks(p.lines[:n])
	for i := range frames {
		p.serve(&frames[i], &all[i])
	}
}

// touchTenants brings in what a request needs of its session and tenant before any
// key can be hashed: lines that hang on each other, which would be missed one after
// the other where every request is another tenant's.
func (p *Processor) touchTenants(all []parsed) {
	last := &all[0]
	several, n := false, 0
	for i := range all {
		if pf := &all[i]; pf.kind == kindRequest {
			several = several || pf.t != last.t || pf.s != last.s
			last = pf
			if pf.s != nil {
				p.lines[n] = prefetch.Address(pf.s)
				n++
			}
		}
	}
	if !several {
		return
	}
	prefetch.Lines(p.lines[:n])
	n = 0
	for i := range all {
		pf := &all[i]
		if pf.kind != kindRequest {
			continue
		}
		if !pf.trusted {
			pf.t = nil
			if pf.s != nil {
				pf.t = p.tenantOf(pf.s)
			}
		}
		if pf.t != nil {
			p.lines[n] = prefetch.Address(pf.t)
			n++
		}
	}
	prefetch.Lines(p.lines[:n])
	n = 0
	for i := range all {
		if pf := &all[i]; pf.kind == kindRequest && pf.t != nil {
			p.lines[n], p.lines[n+1] = prefetch.Address(pf.t.shard), pf.t.local.HotLine()
			n += 2
		}
	}
	prefetch.Lines(p.lines[:n])
}

func (p *Processor) beginTurn(now Clock) {
	p.now = now
	p.fuelLeft = int64(p.cfg.Limits.TurnSlices) * sliceQuantum
}

// Deliver serves a frame that another lcore received and verified, and answers
// from this lcore's own queue. The frame stays the caller's.
func (p *Processor) Deliver(frame []byte, now Clock) {
	p.beginTurn(now)
	p.n.Delivered++
	p.n.Frames++
	f, ok := p.cfg.Queue.Alloc()
	if !ok || len(frame) > len(f.Data) {
		if ok {
			p.cfg.Queue.Free(f)
		}
		p.n.Drops[DropNoBuffer]++
		return
	}
	f.Len = copy(f.Data, frame)
	f.Verdict = nic.Drop
	pf := &p.parsed[0]
	p.parse(&f, pf, false)
	if pf.kind == kindRequest {
		p.locate(&f, pf)
	}
	pf.at = store.NoSpot
	p.serve(&f, pf)
	if f.Verdict == nic.Reply {
		p.cfg.Queue.Send(f)
	} else {
		p.cfg.Queue.Free(f)
	}
}

// parse is the first pass over one frame. It answers host duties, drops what
// is not for us, and leaves requests for the passes that follow. verify: the
// checksums are to be looked at.
func (p *Processor) parse(f *nic.Frame, pf *parsed, verify bool) {
	pf.kind, pf.plain, pf.several, pf.hashed = kindDone, false, false, false
	if uint(f.Len) > uint(len(f.Data)) {
		p.n.Drops[DropShort]++
		return
	}
	b := f.Data[:f.Len]
	var d Drop
	if end := p.host.plainUDP(b, verify); end != 0 && f.Checksum != nic.ChecksumBad {
		pf.l = offsets{l3: etherHeader, l4: etherHeader + ipv4MinHeader, end: uint16(end), proto: protoUDP}
		if p.parsePlain(f, pf, end) {
			return
		}
		d = p.parseDatagram(b, pf)
	} else {
		d = p.parseFrame(f, b, pf, verify)
	}
	if d != DropNone {
		p.n.Drops[d]++
	}
}

func (p *Processor) parseFrame(f *nic.Frame, b []byte, pf *parsed, verify bool) Drop {
	off, etherType := splitEthernet(b)
	if off == 0 {
		if len(b) < etherHeader {
			return DropShort
		}
		return DropVLAN
	}
	group, d := p.host.checkMAC(b)
	if d != DropNone {
		return d
	}
	pf.l.group = group
	switch etherType {
	case etherIPv4:
		if f.Checksum == nic.ChecksumBad {
			return DropUDPChecksum
		}
		if d := splitIPv4(b, off, verify, &pf.l); d != DropNone {
			return d
		}
	case etherIPv6:
		if f.Checksum == nic.ChecksumBad {
			return DropUDPChecksum
		}
		if d := splitIPv6(b, off, &pf.l); d != DropNone {
			return d
		}
	case etherARP:
		d := p.host.answerARP(b, off)
		if d == DropNone {
			p.n.ARP++
			f.Verdict = nic.Reply
		}
		return d
	default:
		return DropEtherType
	}
	if pf.l.proto != protoUDP {
		return p.parseICMP(f, b, &pf.l)
	}
	return p.parseUDP(b, pf, verify)
}

// parseICMP answers echoes and solicitations.
func (p *Processor) parseICMP(f *nic.Frame, b []byte, l *offsets) Drop {
	d := DropProtocol
	switch {
	case !l.v6 && l.proto == protoICMP, l.v6 && l.proto == protoICMPv6:
		if l.v6 && l.end > l.l4 && b[l.l4] == ndSolicitation {
			if d = p.answerSolicitation(b, l); d == DropNone {
				p.n.ND++
			}
		} else if l.group {
			d = DropGroup
		} else if d = p.answerEcho(b, l); d == DropNone {
			p.n.Echo++
		}
	}
	if d == DropNone {
		f.Verdict = nic.Reply
		f.Len = max(int(l.end), min(f.Len, minFrame))
		clear(f.Data[l.end:f.Len])
	}
	return d
}

// minFrame is what a device pads shorter frames to.
const minFrame = 60

// parseUDP looks at addresses, port and datagram, and finds whose it is.
func (p *Processor) parseUDP(b []byte, pf *parsed, verify bool) Drop {
	if pf.l.group {
		return DropGroup
	}
	var d Drop
	if pf.l.v6 {
		d = p.host.check6(pf.l.addrs(b))
	} else {
		d = p.host.check4(pf.l.addrs(b))
	}
	if d != DropNone {
		return d
	}
	if d = splitUDP(b, verify, &pf.l); d != DropNone {
		return d
	}
	h := b[pf.l.l4:pf.l.end]
	if h[0]|h[1] == 0 {
		return DropBadSource
	}
	if int(binary.BigEndian.Uint16(h[2:]))-int(p.cfg.BasePort) >= p.cfg.Lcores || binary.BigEndian.Uint16(h[2:]) < p.cfg.BasePort {
		return DropForeignPort
	}
	return p.parseDatagram(b, pf)
}

// parseDatagram looks at what an honest UDP header carries.
func (p *Processor) parseDatagram(b []byte, pf *parsed) Drop {
	var st wire.Status
	pf.h, pf.ops, st = wire.Parse(b[int(pf.l.l4)+udpHeader : pf.l.end])
	if pf.h == nil {
		return DropRunt
	}
	flags := pf.h.Flags()
	if flags&wire.FlagReply != 0 {
		return DropReply
	}
	if st == wire.StatusOK {
		st = wire.CheckRequest(pf.h)
	}
	p.n.Requests++
	if st != wire.StatusOK {
		pf.kind, pf.status = kindRefuse, st
		return DropNone
	}
	return p.route(b, pf, flags)
}

// route finds the lcore and the session or tenant of a good datagram.
func (p *Processor) route(b []byte, pf *parsed, flags uint8) Drop {
	pf.single = 0
	if pf.h.Ops() == 1 {
		pf.single = wire.Op(pf.ops).Code()
		if pf.single == wire.OpHello {
			pf.kind = kindHello
			return DropNone
		}
	}
	id := pf.h.Session()
	pf.trusted = flags&wire.FlagTrusted != 0
	if pf.trusted {
		pf.s = nil
		pf.kind = kindRequest
		if pf.t = p.tenantByID(id); pf.t != nil {
			return DropNone
		}
		home, ok := p.directory.Lookup(id)
		if !ok || home == p.cfg.Lcore {
			pf.kind, pf.status = kindRefuse, wire.StatusNoTenant
			return DropNone
		}
		return p.forward(home, b[:pf.l.end], pf)
	}
	if lcore := sessionLcore(id); lcore != p.cfg.Lcore {
		if id == 0 || lcore >= p.cfg.Lcores {
			pf.kind, pf.status = kindRefuse, wire.StatusNoSession
			return DropNone
		}
		return p.forward(lcore, b[:pf.l.end], pf)
	}
	pf.kind = kindRequest
	pf.s = p.sessions.at(id)
	return DropNone
}

// forward hands a frame to the lcore that can serve it. The ring bounds what a
// sender without a session can make another lcore do; when it is full the
// frame is lost, as on a network.
func (p *Processor) forward(lcore int, frame []byte, pf *parsed) Drop {
	pf.kind = kindDone
	if p.cfg.Forward == nil {
		return DropNoHome
	}
	if !p.cfg.Forward(lcore, frame) {
		return DropForwardFull
	}
	p.n.Forwarded++
	return DropNone
}

// locate is the second pass over a request: who sent it, and where its key
// would lie. The keys of several operations are looked up together when their
// datagram's turn comes.
func (p *Processor) locate(f *nic.Frame, pf *parsed) {
	if pf.plain {
		if t := p.plainSender(f, pf); t != nil {
			pf.t = t
		} else if pf.unfold(f); !p.findSender(f, pf) {
			return
		}
		if pf.several {
			return
		}
	} else if !p.findSender(f, pf) || maskKeyed>>pf.single&1 == 0 {
		return
	}
	pf.hash, pf.hashed = pf.t.shard.Hash(pf.key(f)), true
}

// key is the store's key of a lone operation that has one.
func (pf *parsed) key(f *nic.Frame) store.Key {
	if pf.plain && f.Data[plainOps+1]&wire.OpFlagIntKey != 0 {
		return store.IntKey(binary.LittleEndian.Uint64(f.Data[plainOps+wire.OpHeaderSize:]))
	}
	return keyOf(wire.Op(f.Data[pf.l.payload()+wire.HeaderSize : pf.l.end]))
}

// findSender checks a request's source and finds its tenant, or refuses it.
func (p *Processor) findSender(f *nic.Frame, pf *parsed) bool {
	if pf.trusted {
		if pf.t.trusts(&pf.l, f.Data) {
			return true
		}
		pf.kind, pf.status = kindRefuse, wire.StatusDenied
		pf.t.local.Counters[counterDenied]++
		return false
	}
	s := pf.s
	if s != nil && s.id == pf.h.Session() && s.secret == pf.h.Secret() &&
		s.addr == sourceAddr(&pf.l, f.Data) && s.port == binary.LittleEndian.Uint16(f.Data[pf.l.l4:]) {
		if pf.t = p.tenantOf(s); pf.t != nil {
			return true
		}
	}
	pf.kind, pf.status = kindRefuse, wire.StatusNoSession
	return false
}

// keyOf is the store's key of an operation.
func keyOf(op wire.Op) store.Key {
	if n, ok := op.IntKey(); ok {
		return store.IntKey(n)
	}
	return store.BytesKey(op.Key())
}

// sourceAddr is where a frame came from, as two memory words; IPv4 in its
// IPv4-mapped form.
func sourceAddr(l *offsets, b []byte) [2]uint64 {
	if l.v6 {
		a := b[l.l3+8:]
		return [2]uint64{binary.LittleEndian.Uint64(a), binary.LittleEndian.Uint64(a[8:])}
	}
	return [2]uint64{0, 0xffff0000 | uint64(binary.LittleEndian.Uint32(b[l.l3+12:]))<<32}
}

package pktproc

import (
	"encoding/binary"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// serveHello answers HELLO1 with a cookie and HELLO2 with a session. Until a
// client has shown its cookie nothing is kept of it, and no reply is longer
// than its request.
func (p *Processor) serveHello(f *nic.Frame, pf *parsed) {
	op := wire.Op(pf.ops)
	if st := wire.CheckOp(op); st != wire.StatusOK {
		p.refuse(f, &pf.l, st)
		return
	}
	if op.Word(0) == 1 {
		p.serveHello1(f, pf, op)
	} else {
		p.serveHello2(f, pf, op)
	}
}

func (p *Processor) millis() uint32 { return uint32(p.now.MonoNanos / 1e6) }

// epoch numbers cookies by the wall clock, so all lcores agree on it.
func (p *Processor) epoch() uint64 {
	return uint64(p.now.UnixMillis) / 1000 / uint64(p.cfg.Limits.CookieSeconds)
}

func addrBytes(a [2]uint64) (b [16]byte) {
	binary.LittleEndian.PutUint64(b[:], a[0])
	binary.LittleEndian.PutUint64(b[8:], a[1])
	return b
}

func (p *Processor) serveHello1(f *nic.Frame, pf *parsed, op wire.Op) {
	addr := sourceAddr(&pf.l, f.Data)
	if !p.hello1.allow(addr, p.millis()) {
		p.n.Drops[DropHelloRate]++
		return
	}
	p.hello1.spend(addr)
	p.n.Hello1++
	port := binary.BigEndian.Uint16(f.Data[pf.l.l4:])
	cookie := wire.MakeCookie(&p.cfg.ServerKey, p.epoch(), addrBytes(addr), port)
	body := p.payload(f, &pf.l)[wire.HeaderSize:]
	putOp(body, wire.OpHello, 0, wire.StatusOK, 1, len(cookie))
	binary.LittleEndian.PutUint64(body[8:], 1)
	copy(body[16:], cookie[:])
	p.finish(f, &pf.l, 1, wire.StatusOK, 16+len(cookie))
}

// serveHello2 verifies cookie and proof on whatever lcore the datagram came
// to, so that only clients that know a token cost the tenant's home anything.
// The home verifies again what is handed over: a frame carries no mark of trust.
func (p *Processor) serveHello2(f *nic.Frame, pf *parsed, op wire.Op) {
	p.n.Hello2++
	addr := sourceAddr(&pf.l, f.Data)
	port := binary.BigEndian.Uint16(f.Data[pf.l.l4:])
	value := op.Value()
	cookie, proof := value[:wire.CookieSize], value[wire.CookieSize:wire.CookieSize+wire.ProofSize]
	if !wire.CheckCookie(cookie, &p.cfg.ServerKey, p.epoch(), addrBytes(addr), port) {
		// Out of date, or made before this server started: begin again.
		if !p.hello1.allow(addr, p.millis()) {
			p.n.Drops[DropHelloRate]++
			return
		}
		p.hello1.spend(addr)
		p.n.BadCookies++
		p.refuse(f, &pf.l, wire.StatusNoSession)
		return
	}
	if !p.hello2.allow(addr, p.millis()) {
		p.n.Drops[DropHelloRate]++
		return
	}
	role := op.Word(1)
	nonce := [2]uint64{op.Word(2), op.Word(3)}
	entry, known := p.directory.ByName(op.Key())
	token := entry.DataToken
	if role == wire.RoleDeploy && len(entry.DeployToken) != 0 {
		token = entry.DeployToken // else the data token serves for both, not none: a session of either role reads the data
	}
	// An unknown tenant costs the same proof as a known one, and reads like a wrong token.
	good := wire.CheckProof(proof, token, cookie, nonce, role, op.Key())
	if !known || !good {
		p.hello2.spend(addr)
		p.refuse(f, &pf.l, wire.StatusDenied)
		return
	}
	if entry.Home != p.cfg.Lcore {
		if d := p.forward(entry.Home, f.Data[:pf.l.end], pf); d != DropNone {
			p.n.Drops[d]++
		}
		return
	}
	t := p.tenantByID(entry.ID)
	if t == nil {
		p.refuse(f, &pf.l, wire.StatusUnavailable) // being installed, or removed
		return
	}
	if t.quarantined {
		p.refuse(f, &pf.l, wire.StatusQuarantined)
		return
	}
	p.grantSession(f, pf, t, token, cookie, nonce, uint8(role))
}

func (p *Processor) grantSession(f *nic.Frame, pf *parsed, t *tenant, token, cookie []byte, nonce [2]uint64, role uint8) {
	s, ok := p.openSession(t)
	if !ok {
		p.refuse(f, &pf.l, wire.StatusUnavailable)
		return
	}
	s.addr = sourceAddr(&pf.l, f.Data)
	s.port = binary.LittleEndian.Uint16(f.Data[pf.l.l4:])
	s.role = role
	s.secret = p.entropy.next()
	sealed, err := wire.SealSecret(token, cookie, nonce, s.id, t.local.ID, s.secret)
	if err != nil {
		p.dropSession(s)
		p.refuse(f, &pf.l, wire.StatusUnavailable)
		return
	}
	t.local.Counters[tenants.CounterSessions]++
	p.publisher.Touch(t.local)
	body := p.payload(f, &pf.l)[wire.HeaderSize:]
	putOp(body, wire.OpHello, 0, wire.StatusOK, 3, len(sealed))
	binary.LittleEndian.PutUint64(body[8:], 2)
	binary.LittleEndian.PutUint64(body[16:], uint64(s.id))
	binary.LittleEndian.PutUint64(body[24:], uint64(t.local.ID))
	copy(body[32:], sealed[:])
	p.finish(f, &pf.l, 1, wire.StatusOK, 32+len(sealed))
}

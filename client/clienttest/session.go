package clienttest

import (
	"net/netip"

	"shredder/pktproc/wire"
)

// session is the server's side of one, with the window of recorded replies.
type session struct {
	addr    netip.AddrPort
	secret  uint64
	first   uint32
	records map[uint32]record
}

// record is what became of a recorded datagram; reply is nil while it runs.
type record struct {
	reply   []byte
	results map[int][]byte // by operation: results too large for the reply
}

type lookup uint8

const (
	windowNew lookup = iota
	windowKnown
	windowStale
)

// look moves the window to first and finds seq in it.
func (s *session) look(seq, first uint32) (lookup, record) {
	if first > s.first {
		s.first = first
		for old := range s.records {
			if old < first {
				delete(s.records, old)
			}
		}
	}
	if seq < s.first || seq >= s.first+wire.WindowSize {
		return windowStale, record{}
	}
	if r, ok := s.records[seq]; ok {
		return windowKnown, r
	}
	return windowNew, record{}
}

const epoch = 7

func (s *Server) hello(socket int, fields wire.HeaderFields, op wire.Op, from netip.AddrPort) {
	addr, port := from.Addr().As16(), from.Port()
	if st := wire.CheckOp(op); st != wire.StatusOK {
		s.refuse(socket, fields, st, from)
		return
	}
	w := wire.NewWriter(make([]byte, 256))
	if op.Word(0) == 1 {
		cookie := wire.MakeCookie(&s.key, epoch, addr, port)
		w.Begin(wire.OpHello, 0, wire.StatusOK)
		w.Word(1)
		w.Value(cookie[:])
		s.send(socket, w.Finish(fields), from)
		return
	}
	cookie := op.Value()[:wire.CookieSize]
	proof := op.Value()[wire.CookieSize : wire.CookieSize+wire.ProofSize]
	nonce := [2]uint64{op.Word(2), op.Word(3)}
	switch {
	case !wire.CheckCookie(cookie, &s.key, epoch, addr, port):
		s.refuse(socket, fields, wire.StatusNoSession, from)
		return
	case string(op.Key()) != s.config.Tenant, // reads like a wrong token
		op.Word(1) != s.config.Role && s.config.Token != nil,
		!wire.CheckProof(proof, s.config.Token, cookie, nonce, op.Word(1), op.Key()):
		s.refuse(socket, fields, wire.StatusDenied, from)
		return
	}
	id := s.nextID
	s.nextID++
	sess := &session{addr: from, secret: s.rng.Uint64(), first: 1, records: map[uint32]record{}}
	sealed, err := wire.SealSecret(s.config.Token, cookie, nonce, id, tenantID, sess.secret)
	if err != nil {
		s.refuse(socket, fields, wire.StatusUnavailable, from)
		return
	}
	s.sessions[id] = sess
	w.Begin(wire.OpHello, 0, wire.StatusOK)
	w.Word(2)
	w.Word(uint64(id))
	w.Word(tenantID)
	w.Value(sealed[:])
	fields.Port = s.homePort()
	s.send(socket, w.Finish(fields), from)
}

const tenantID = 1

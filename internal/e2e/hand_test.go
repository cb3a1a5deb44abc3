package e2e

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"shredder/pktproc/wire"
)

// handClient speaks the wire format over a connected socket, one request at a
// time, with none of the client's cleverness but repetition.
type handClient struct {
	t       testing.TB
	conn    net.Conn
	session uint32
	secret  uint64
	seq     uint32
}

// hello opens a session of a tenant without a token.
func (h *handClient) hello(tenant string) {
	h.t.Helper()
	reply := h.ask(0, func(w *wire.Writer) {
		w.Begin(wire.OpHello, 0, 0)
		w.Word(1)
		w.Value(make([]byte, wire.MinHello1-wire.HeaderSize-wire.OpHeaderSize-8))
		w.End()
	})
	_, ops, _ := wire.Parse(reply)
	op, _, _ := wire.FirstOp(ops)
	cookie := append([]byte{}, op.Value()...)
	nonce := [2]uint64{1, 2}
	proof := wire.MakeProof(nil, cookie, nonce, wire.RoleData, []byte(tenant))
	reply = h.ask(0, func(w *wire.Writer) {
		w.Begin(wire.OpHello, 0, 0)
		w.Word(2)
		w.Word(wire.RoleData)
		w.Word(nonce[0])
		w.Word(nonce[1])
		w.Key([]byte(tenant))
		w.Value(cookie)
		w.Value(proof[:])
		w.End()
	})
	_, ops, _ = wire.Parse(reply)
	op, _, ok := wire.FirstOp(ops)
	if !ok || op.Status() != wire.StatusOK {
		h.t.Fatalf("HELLO2 is answered with %x", reply)
	}
	h.session = uint32(op.Word(1))
	secret, ok := wire.OpenSecret(op.Value(), nil, cookie, nonce, h.session, uint32(op.Word(2)))
	if !ok {
		h.t.Fatal("the secret does not open")
	}
	h.secret = secret
}

// datagram builds a request with the next sequence number.
func (h *handClient) datagram(flags uint8, ops func(*wire.Writer)) []byte {
	h.seq++
	w := wire.NewWriter(make([]byte, 0, wire.MaxDatagram))
	ops(&w)
	return w.Finish(wire.HeaderFields{Flags: flags, Session: h.session, Secret: h.secret, Seq: h.seq, First: h.seq})
}

// ask sends a request until it is answered, and returns the reply.
func (h *handClient) ask(flags uint8, ops func(*wire.Writer)) []byte {
	h.t.Helper()
	request := h.datagram(flags, ops)
	buf := make([]byte, 2048)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err := h.conn.Write(request); err != nil {
			h.t.Fatal(err)
		}
		h.conn.SetReadDeadline(time.Now().Add(time.Second))
		for {
			n, err := h.conn.Read(buf)
			if err != nil {
				break
			}
			if n >= wire.HeaderSize && binary.LittleEndian.Uint32(buf[16:]) == h.seq {
				return buf[:n]
			}
		}
	}
	h.t.Fatalf("no answer to %x", request)
	return nil
}

package memif

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Messages are messageSize bytes: u16 type, then packed little-endian fields.
const (
	messageSize     = 128
	protocolVersion = 2 << 8
	ringCookie      = 0x3E31F20

	typeAck        = 1
	typeHello      = 2
	typeInit       = 3
	typeAddRegion  = 4
	typeAddRing    = 5
	typeConnect    = 6
	typeConnected  = 7
	typeDisconnect = 8

	clientToServer = 1 // flag of typeAddRing
)

// patience bounds each step of the handshake; a server that polls answers in
// its interrupt thread within microseconds.
const patience = 5 * time.Second

type message [messageSize]byte

func newMessage(kind uint16) *message {
	var m message
	binary.LittleEndian.PutUint16(m[:], kind)
	return &m
}

func (m *message) kind() uint16 { return binary.LittleEndian.Uint16(m[:]) }

// text is the zero-terminated string at off.
func (m *message) text(off int) string {
	s, _, _ := strings.Cut(string(m[off:]), "\x00")
	return s
}

// handshake walks through the protocol: hello, init, one region, two rings, connect.
func (q *Queue) handshake(path string, cfg Config, region, ringSize int) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	q.socket = fd
	timeout := unix.NsecToTimeval(patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return err
	}
	hello, err := q.expect(typeHello)
	if err != nil {
		return err
	}
	lowest, highest := binary.LittleEndian.Uint16(hello[34:]), binary.LittleEndian.Uint16(hello[36:])
	if lowest > protocolVersion || highest < protocolVersion {
		return fmt.Errorf("the server speaks versions %#x to %#x, not %#x", lowest, highest, protocolVersion)
	}
	if largest := int(hello[44]); cfg.RingLog2 > largest {
		return fmt.Errorf("the server's rings have at most 2^%d descriptors", largest)
	}

	init := newMessage(typeInit)
	binary.LittleEndian.PutUint16(init[2:], protocolVersion)
	binary.LittleEndian.PutUint32(init[4:], cfg.ID)
	copy(init[33:], "shredder-load")
	steps := []struct {
		message *message
		fd      int
		answer  uint16
	}{
		{init, -1, typeAck},
		{addRegion(len(q.memory)), region, typeAck},
		{addRing(clientToServer, 0, cfg.RingLog2), q.events[0], typeAck},
		{addRing(0, ringSize, cfg.RingLog2), q.events[1], typeAck},
		{newMessage(typeConnect), -1, typeConnected},
	}
	for _, step := range steps {
		if err := q.say(step.message, step.fd); err != nil {
			return err
		}
		if _, err := q.expect(step.answer); err != nil {
			return err
		}
	}
	return nil
}

func addRegion(size int) *message {
	m := newMessage(typeAddRegion)
	binary.LittleEndian.PutUint16(m[2:], 0)
	binary.LittleEndian.PutUint64(m[4:], uint64(size))
	return m
}

func addRing(flags uint16, off, ringLog2 int) *message {
	m := newMessage(typeAddRing)
	binary.LittleEndian.PutUint16(m[2:], flags)
	binary.LittleEndian.PutUint32(m[8:], uint32(off))
	m[12] = byte(ringLog2)
	return m
}

// say sends m, with a file if fd is not −1.
func (q *Queue) say(m *message, fd int) error {
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	return unix.Sendmsg(q.socket, m[:], rights, nil, unix.MSG_NOSIGNAL)
}

// expect receives the next message, which must be of kind.
func (q *Queue) expect(kind uint16) (*message, error) {
	var m message
	n, _, _, _, err := unix.Recvmsg(q.socket, m[:], nil, 0)
	switch {
	case errors.Is(err, unix.EAGAIN):
		return nil, fmt.Errorf("the server said nothing for %v", patience)
	case err != nil:
		return nil, err
	case n == 0:
		return nil, errors.New("the server closed the connection")
	case n != messageSize:
		return nil, fmt.Errorf("a message of %d bytes instead of %d", n, messageSize)
	case m.kind() == typeDisconnect:
		return nil, fmt.Errorf("the server refused: %s", m.text(6))
	case m.kind() != kind:
		return nil, fmt.Errorf("the server sent message %d instead of %d", m.kind(), kind)
	}
	return &m, nil
}

// disconnect says goodbye; a server that is gone already does not mind.
func (q *Queue) disconnect() {
	m := newMessage(typeDisconnect)
	copy(m[6:], "done")
	_ = q.say(m, -1)
}

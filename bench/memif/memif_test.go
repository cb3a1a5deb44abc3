package memif

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
)

// server is the other side of the protocol, played by the test: it takes the
// handshake and shares the rings.
type server struct {
	socket, file int
	memory       []byte
	toServer     ring
	toClient     ring
	read, wrote  uint16
}

// serve accepts one client at path and, after its hello, either refuses it or
// connects it. It sends its result when the client is connected.
func serve(t *testing.T, path, refusal string) <-chan *server {
	t.Helper()
	listener, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(listener, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(listener, 1); err != nil {
		t.Fatal(err)
	}
	done := make(chan *server, 1)
	go func() {
		defer close(done)
		defer unix.Close(listener)
		fd, _, err := unix.Accept(listener)
		if err != nil {
			t.Error(err)
			return
		}
		hello := newMessage(typeHello)
		binary.LittleEndian.PutUint16(hello[34:], protocolVersion)
		binary.LittleEndian.PutUint16(hello[36:], protocolVersion)
		hello[44] = 14
		s := &server{socket: fd}
		if err := unix.Sendmsg(fd, hello[:], nil, nil, 0); err != nil {
			t.Error(err)
		}
		if s.take(t, refusal) {
			done <- s
		}
	}()
	return done
}

// take answers the client's messages until it is connected.
func (s *server) take(t *testing.T, refusal string) bool {
	ringSize := 0
	for {
		var m message
		control := make([]byte, unix.CmsgSpace(4))
		n, controlLen, _, _, err := unix.Recvmsg(s.socket, m[:], control, 0)
		if err != nil || n != messageSize {
			t.Errorf("server received %d bytes: %v", n, err)
			return false
		}
		fd := -1
		if controlLen > 0 {
			messages, _ := unix.ParseSocketControlMessage(control[:controlLen])
			fds, _ := unix.ParseUnixRights(&messages[0])
			fd = fds[0]
		}
		answer := newMessage(typeAck)
		switch m.kind() {
		case typeInit:
			if refusal != "" {
				answer = newMessage(typeDisconnect)
				copy(answer[6:], refusal)
			}
		case typeAddRegion:
			s.memory, err = unix.Mmap(fd, 0, int(binary.LittleEndian.Uint64(m[4:])), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			if err != nil {
				t.Error(err)
				return false
			}
		case typeAddRing:
			ringSize = ringHeaderSize + descSize<<m[12]
			off := int(binary.LittleEndian.Uint32(m[8:]))
			if m[2]&clientToServer != 0 {
				s.toServer = newRing(s.memory[off : off+ringSize])
			} else {
				s.toClient = newRing(s.memory[off : off+ringSize])
			}
		case typeConnect:
			answer = newMessage(typeConnected)
		default:
			t.Errorf("server received message %d", m.kind())
		}
		if err := unix.Sendmsg(s.socket, answer[:], nil, nil, 0); err != nil {
			t.Error(err)
		}
		switch {
		case fd >= 0 && m.kind() == typeAddRing:
			unix.Close(fd)
		case m.kind() == typeInit && refusal != "":
			return false
		case m.kind() == typeConnect:
			return true
		}
	}
}

// echo sends every frame back, as many as the client has lent buffers for.
func (s *server) echo() {
	head := s.toServer.head()
	mask := uint16(len(s.toServer.descs) - 1)
	for s.read != head && s.wrote != s.toClient.head() {
		length, off := s.toServer.get(s.read & mask)
		_, to := s.toClient.get(s.wrote & mask)
		copy(s.memory[to:to+bufferSize], s.memory[off:off+length])
		s.toClient.set(s.wrote&mask, length, to)
		s.read++
		s.wrote++
	}
	s.toServer.publishTail(s.read)
	s.toClient.publishTail(s.wrote)
}

func connect(t *testing.T) (*Queue, *server) {
	t.Helper()
	path := t.TempDir() + "/memif.sock"
	served := serve(t, path, "")
	q, err := Dial(path, Config{RingLog2: 5})
	if err != nil {
		t.Fatal(err)
	}
	s := <-served
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
		unix.Munmap(s.memory)
		unix.Close(s.socket)
	})
	return q, s
}

func TestFramesGoRoundTheRings(t *testing.T) {
	q, s := connect(t)
	prepared, err := q.Prepare(bytes.Repeat([]byte{7}, 90), 0)
	if err != nil {
		t.Fatal(err)
	}
	var b nic.Burst
	want := byte(0)
	for turn := range 500 {
		for i := range 20 {
			f, ok := q.AllocPrepared(prepared)
			if !ok {
				t.Fatalf("turn %d: no room for frame %d", turn, i)
			}
			if f.Len != 90 || f.Data[1] != 7 {
				t.Fatalf("prepared frame has %d bytes, % x", f.Len, f.Data[:4])
			}
			f.Data[0] = byte(turn*20 + i)
			q.Send(f)
		}
		q.Flush()
		s.echo()
		if n := q.RxBurst(&b); n != 20 {
			t.Fatalf("turn %d: %d frames came back", turn, n)
		}
		for i := range b.N {
			if f := &b.Frames[i]; f.Len != 90 || f.Data[0] != want || f.Data[89] != 7 {
				t.Fatalf("turn %d: frame %d is % x (%d bytes), want %d", turn, i, f.Data[:2], f.Len, want)
			}
			want++
		}
		q.TxBurst(&b)
	}
	if stats := q.Stats(); stats.TxFrames != 10_000 || stats.RxFrames != 10_000 || stats.RxBytes != 900_000 {
		t.Errorf("stats: %+v", stats)
	}
}

func TestFullRingRefusesAndRecovers(t *testing.T) {
	q, s := connect(t)
	sent := 0
	for ; sent < 100; sent++ {
		f, ok := q.Alloc()
		if !ok {
			break
		}
		f.Len = copy(f.Data, []byte{byte(sent)})
		q.Send(f)
	}
	if sent != 32 || q.Stats().NoBuffer != 1 {
		t.Fatalf("%d frames fit a ring of 32, refused %d", sent, q.Stats().NoBuffer)
	}
	q.Flush()
	s.echo()
	var b nic.Burst
	if q.RxBurst(&b) != 32 || b.Frames[31].Data[0] != 31 {
		t.Fatalf("received %d frames", b.N)
	}
	b.Frames[3].Verdict = nic.Reply
	q.TxBurst(&b)
	q.Flush()
	s.echo()
	if q.RxBurst(&b) != 1 || b.Frames[0].Data[0] != 3 {
		t.Errorf("the frame marked Reply did not come back: %d frames", b.N)
	}
	q.TxBurst(&b)
}

func TestRefusalCarriesTheServersText(t *testing.T) {
	path := t.TempDir() + "/memif.sock"
	serve(t, path, "ID not found")
	if _, err := Dial(path, Config{}); err == nil || !strings.Contains(err.Error(), "ID not found") {
		t.Errorf("error is %v", err)
	}
	if _, err := Dial(t.TempDir()+"/absent", Config{}); err == nil {
		t.Error("dialled a socket that does not exist")
	}
	if _, err := Dial(path, Config{RingLog2: 15}); err == nil {
		t.Error("took a ring of 2^15")
	}
}

func TestPathAllocatesNothing(t *testing.T) {
	q, s := connect(t)
	var b nic.Burst
	if n := testing.AllocsPerRun(100, func() {
		f, _ := q.Alloc()
		q.Send(f)
		q.Flush()
		s.echo()
		q.RxBurst(&b)
		q.TxBurst(&b)
	}); n != 0 {
		t.Errorf("a frame allocates %v times", n)
	}
}

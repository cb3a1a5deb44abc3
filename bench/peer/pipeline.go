package peer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Protocol writes the requests of a key-value protocol over TCP, for values of
// one size, and knows how long the replies are.
type Protocol interface {
	Get(dst []byte, key string) []byte
	Set(dst []byte, key string, value []byte) []byte
	GetReply(keyLen, valueLen int) int
	SetReply() int
}

// RESP is Redis' protocol.
type RESP struct{}

func (RESP) Get(dst []byte, key string) []byte {
	return fmt.Appendf(dst, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(key), key)
}
func (RESP) Set(dst []byte, key string, value []byte) []byte {
	return fmt.Appendf(dst, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(key), key, len(value), value)
}
func (RESP) GetReply(_, valueLen int) int {
	return len(fmt.Sprintf("$%d\r\n\r\n", valueLen)) + valueLen
}
func (RESP) SetReply() int { return len("+OK\r\n") }

// RESPPing asks for nothing but a PONG instead of a value.
type RESPPing struct{ RESP }

func (RESPPing) Get(dst []byte, _ string) []byte { return append(dst, "*1\r\n$4\r\nPING\r\n"...) }
func (RESPPing) GetReply(_, _ int) int           { return len("+PONG\r\n") }

// RESPSet sets a value instead of asking for it.
type RESPSet struct {
	RESP
	Value []byte
}

func (s RESPSet) Get(dst []byte, key string) []byte { return s.Set(dst, key, s.Value) }
func (s RESPSet) GetReply(_, _ int) int             { return s.SetReply() }

// Text is memcached's text protocol.
type Text struct{}

func (Text) Get(dst []byte, key string) []byte { return fmt.Appendf(dst, "get %s\r\n", key) }
func (Text) Set(dst []byte, key string, value []byte) []byte {
	return fmt.Appendf(dst, "set %s 0 0 %d\r\n%s\r\n", key, len(value), value)
}
func (Text) GetReply(keyLen, valueLen int) int {
	return len(fmt.Sprintf("VALUE  0 %d\r\n\r\nEND\r\n", valueLen)) + keyLen + valueLen
}
func (Text) SetReply() int { return len("STORED\r\n") }

// Pipeline is a closed loop over TCP connections, each with a batch of requests
// in flight. It belongs to one thread, which it keeps busy unless it is Patient.
type Pipeline struct {
	// Patient sleeps until replies come: for servers that share the client's CPU.
	Patient bool

	protocol Protocol
	keys     int
	value    []byte
	epoll    int
	conns    []int
	got      []int // bytes of the batch in flight that came, by connection
	batches  [][]byte
	next     int
	reply    int
	buf      []byte
}

// batchesBuilt is how many different batches take turns.
const batchesBuilt = 4096

func keyName(i int) string { return fmt.Sprintf("k%07x", i) }

// Dial opens conns connections that will keep depth GETs in flight each.
func Dial(k *Kernel, conns, depth, keys, valueSize int) (*Pipeline, error) {
	p := &Pipeline{protocol: k.Protocol, keys: keys, value: make([]byte, valueSize), buf: make([]byte, 64<<10)}
	for i := range p.value {
		p.value[i] = 'a' + byte(i%26)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range batchesBuilt {
		var b []byte
		for range depth {
			b = k.Protocol.Get(b, keyName(random.IntN(keys)))
		}
		p.batches = append(p.batches, b)
	}
	p.reply = depth * k.Protocol.GetReply(len(keyName(0)), valueSize)
	var err error
	if p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	for i := range conns {
		fd, err := dial(k.Address)
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.conns = append(p.conns, fd)
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	p.got = make([]int, conns)
	return p, nil
}

func dial(address netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}); err == nil {
		err = errors.Join(unix.SetNonblock(fd, true), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	}
	if err != nil {
		return -1, errors.Join(fmt.Errorf("dial %v: %w", address, err), unix.Close(fd))
	}
	return fd, nil
}

// Preload sets every key, over the first connection.
func (p *Pipeline) Preload() error {
	const batch = 128
	for first := 0; first < p.keys; first += batch {
		last := min(first+batch, p.keys)
		var b []byte
		for i := first; i < last; i++ {
			b = p.protocol.Set(b, keyName(i), p.value)
		}
		if err := p.write(0, b); err != nil {
			return err
		}
		for want := (last - first) * p.protocol.SetReply(); want > 0; {
			n, err := p.read(0)
			if err != nil {
				return err
			}
			want -= n
		}
	}
	return nil
}

// Run keeps all connections busy for the given time and returns how many GETs
// were answered and the time it took.
func (p *Pipeline) Run(depth int, length time.Duration) (ops uint64, took time.Duration, err error) {
	start := time.Now()
	for i := range p.conns {
		if err := p.send(i); err != nil {
			return 0, 0, err
		}
	}
	events := make([]unix.EpollEvent, len(p.conns))
	inFlight, patience := len(p.conns), 0
	if p.Patient {
		patience = -1
	}
	for inFlight > 0 {
		n, err := unix.EpollWait(p.epoll, events, patience)
		if err != nil && err != unix.EINTR {
			return 0, 0, err
		}
		running := time.Since(start) < length
		for _, e := range events[:max(n, 0)] {
			i := int(e.Fd)
			got, err := p.read(i)
			if err != nil {
				return 0, 0, err
			}
			if p.got[i] += got; p.got[i] < p.reply {
				continue
			}
			if p.got[i] > p.reply {
				return 0, 0, fmt.Errorf("a reply of %d bytes instead of %d", p.got[i], p.reply)
			}
			ops += uint64(depth)
			if !running {
				inFlight--
			} else if err := p.send(i); err != nil {
				return 0, 0, err
			}
		}
	}
	return ops, time.Since(start), nil
}

// send starts the next batch on connection i.
func (p *Pipeline) send(i int) error {
	p.got[i] = 0
	p.next++
	return p.write(i, p.batches[p.next%batchesBuilt])
}

func (p *Pipeline) write(i int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(p.conns[i], b)
		if err != nil && err != unix.EAGAIN && err != unix.EINTR {
			return err
		}
		b = b[max(n, 0):]
	}
	return nil
}

// read returns how many bytes came, 0 if none are there.
func (p *Pipeline) read(i int) (int, error) {
	n, err := unix.Read(p.conns[i], p.buf)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0:
		return 0, errors.New("the server closed the connection")
	}
	return n, nil
}

// Close closes the connections.
func (p *Pipeline) Close() error {
	errs := []error{unix.Close(p.epoll)}
	for _, fd := range p.conns {
		errs = append(errs, unix.Close(fd))
	}
	return errors.Join(errs...)
}

//go:build dpdk

package dpdk

import (
	"encoding/binary"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
	"shredder/dataplane/nic/nictest"
)

// sum is the internet checksum's running sum over b.
func sum(b []byte, s uint32) uint32 {
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	return s
}

func fold(s uint32) uint16 {
	for s>>16 != 0 {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// udpSum is 0xffff over a datagram with a right checksum.
func udpSum(frame []byte) uint16 {
	return fold(sum(frame[34:], sum(frame[26:34], 17+uint32(len(frame)-34))))
}

// ipv4Frame is a UDP datagram with an even payload, with right checksums.
func ipv4Frame(n byte) []byte {
	f := make([]byte, 14+20+8+22)
	copy(f, []byte{2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 8, 0, 0x45})
	binary.BigEndian.PutUint16(f[16:], uint16(len(f)-14))
	f[22], f[23] = 64, 17
	copy(f[26:], []byte{10, 0, 0, 1, 10, 0, 0, 2, 0x10, 0, 0x20, 0})
	binary.BigEndian.PutUint16(f[38:], uint16(len(f)-34))
	f[42] = n
	binary.BigEndian.PutUint16(f[24:], ^fold(sum(f[14:34], 0)))
	binary.BigEndian.PutUint16(f[40:], ^udpSum(f))
	return f
}

// TestChecksums: a device that looks at checksums (net_tap) has its word mapped,
// and one that writes them does, where that was asked for.
func TestChecksums(t *testing.T) {
	if !inNetwork(t) {
		return
	}
	startEAL(t, "--vdev=net_tap0,iface=shred0")
	p := openPort(t, PortConfig{Name: "net_tap0", ChecksumOffload: true, Promiscuous: true})
	run(t, "ip link set shred0 up")
	q := p.Queue(0)
	if caps := q.Capabilities(); !caps.TxChecksumIPv4 || !caps.TxChecksumUDP {
		t.Fatalf("capabilities %+v", caps)
	}
	i, err := net.InterfaceByName("shred0")
	if err != nil {
		t.Fatal(err)
	}
	proto := binary.NativeEndian.Uint16([]byte{8, 0})
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(proto))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: i.Index}); err != nil {
		t.Fatal(err)
	}
	good, badIP, badUDP := ipv4Frame(1), ipv4Frame(2), ipv4Frame(3)
	badIP[24] ^= 1
	badUDP[45] ^= 1
	for _, c := range []struct {
		frame []byte
		want  nic.Checksum
	}{{good, nic.ChecksumGood}, {badIP, nic.ChecksumBad}, {badUDP, nic.ChecksumBad}} {
		if got := received(t, q, fd, c.frame); got != c.want {
			t.Errorf("frame %d is marked %d, want %d", c.frame[42], got, c.want)
		}
	}
	sent := ipv4Frame(4)
	sent[24], sent[25], sent[40], sent[41] = 0, 0, 0, 0
	back := transmitted(t, q, fd, sent)
	if fold(sum(back[14:34], 0)) != 0xffff || udpSum(back) != 0xffff {
		t.Errorf("sent with wrong checksums: %x", back)
	}
}

// received sends frame from the kernel until the queue has it, and returns its mark.
func received(t *testing.T, q nic.Queue, fd int, frame []byte) nic.Checksum {
	t.Helper()
	var b nic.Burst
	defer func() { q.TxBurst(&b) }()
	var again time.Time
	for deadline := time.Now().Add(nictest.Patience); time.Now().Before(deadline); {
		if now := time.Now(); now.After(again) {
			again = now.Add(time.Second)
			unix.Write(fd, frame) // sent again if this one is lost
		}
		q.RxBurst(&b)
		for _, f := range b.Frames[:b.N] {
			if f.Len == len(frame) && f.Data[0] == 2 && f.Data[42] == frame[42] {
				return f.Checksum
			}
		}
		q.TxBurst(&b)
	}
	t.Fatal("nothing received")
	return 0
}

// transmitted sends frame from the queue until the kernel has it, and returns it as it came.
func transmitted(t *testing.T, q nic.Queue, fd int, frame []byte) []byte {
	t.Helper()
	buf := make([]byte, 2048)
	var again time.Time
	for deadline := time.Now().Add(nictest.Patience); time.Now().Before(deadline); {
		if now := time.Now(); now.After(again) {
			again = now.Add(time.Second)
			if f, ok := q.Alloc(); ok {
				f.Len = copy(f.Data, frame)
				q.Send(f)
				q.Flush()
			}
		}
		n, err := unix.Read(fd, buf)
		if err == nil && n == len(frame) && buf[42] == frame[42] {
			return buf[:n]
		}
	}
	t.Fatal("nothing transmitted")
	return nil
}

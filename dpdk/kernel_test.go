//go:build dpdk

package dpdk

import (
	"bytes"
	"encoding/binary"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
	"shredder/dataplane/nic/nictest"
)

// These tests reach a device from the kernel, through a packet socket on an
// interface in a network namespace of their own.

func run(t *testing.T, command string) {
	t.Helper()
	args := strings.Fields(command)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

func TestTap(t *testing.T) {
	if !inNetwork(t) {
		return
	}
	startEAL(t, "--vdev=net_tap0,iface=shred0")
	p := openPort(t, PortConfig{Name: "net_tap0", MTU: 1400})
	run(t, "ip link set shred0 up")
	kernelEcho(t, p, "shred0")
	if i, err := net.InterfaceByName("shred0"); err != nil || i.MTU != 1400 {
		t.Errorf("the kernel's interface: %+v, %v", i, err)
	}
}

func TestAfPacket(t *testing.T) {
	if !inNetwork(t) {
		return
	}
	run(t, "ip link add shred0 type veth peer name shred1")
	run(t, "ip link set shred0 up")
	run(t, "ip link set shred1 up")
	startEAL(t, "--vdev=net_af_packet0,iface=shred1")
	kernelEcho(t, openPort(t, PortConfig{Name: "net_af_packet0"}), "shred0")
}

func TestAfXDP(t *testing.T) {
	if !inNetwork(t) {
		return
	}
	run(t, "ip link add shred0 numrxqueues 1 numtxqueues 1 type veth peer name shred1 numrxqueues 1 numtxqueues 1")
	run(t, "ip link set shred0 up")
	run(t, "ip link set shred1 up")
	startEAL(t, "--vdev=net_af_xdp0,iface=shred1,start_queue=0,queue_count=1")
	kernelEcho(t, openPort(t, PortConfig{Name: "net_af_xdp0"}), "shred0")
}

const testEtherType = 0x88b5 // for local experiments (IEEE 802)

// kernelEcho sends frames into the interface one at a time and has each
// answered by the port.
func kernelEcho(t *testing.T, p *Port, iface string) {
	t.Helper()
	i, err := net.InterfaceByName(iface)
	if err != nil {
		t.Fatal(err)
	}
	proto := binary.BigEndian.Uint16([]byte{testEtherType & 0xff, testEtherType >> 8})
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(proto))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: i.Index}); err != nil {
		t.Fatal(err)
	}
	mac := p.MAC()
	for n := range 200 {
		frame := append(append(append([]byte{}, mac[:]...), i.HardwareAddr...), testEtherType>>8, testEtherType&0xff)
		frame = append(frame, bytes.Repeat([]byte{byte(n)}, 60+n*6)...)
		// A lost frame is sent again: the devices are real enough to lose one.
		if got := exchange(t, p.Queue(0), fd, frame); !bytes.Equal(got[12:], frame[12:]) || !bytes.Equal(got[:6], i.HardwareAddr) {
			t.Fatalf("frame %d came back as %.32x… (%d bytes)", n, got, len(got))
		}
	}
	if s, err := p.Stats(); err != nil || s.Ipackets < 200 || s.Opackets < 200 {
		t.Errorf("the device counted %+v, %v", s, err)
	}
	if link, err := p.Link(); err != nil || !link.Up {
		t.Errorf("link %v, %v", link, err)
	}
}

func exchange(t *testing.T, q nic.Queue, fd int, frame []byte) []byte {
	t.Helper()
	var b nic.Burst
	buf := make([]byte, 2048)
	var again time.Time
	for deadline := time.Now().Add(nictest.Patience); time.Now().Before(deadline); {
		if now := time.Now(); now.After(again) {
			again = now.Add(time.Second)
			if _, err := unix.Write(fd, frame); err != nil && err != unix.EAGAIN && err != unix.ENOBUFS {
				t.Fatal(err)
			}
		}
		q.RxBurst(&b)
		for i := range b.Frames[:b.N] {
			if f := &b.Frames[i]; f.Len > 14 && binary.BigEndian.Uint16(f.Data[12:]) == testEtherType {
				var src [6]byte
				copy(src[:], f.Data[6:12])
				copy(f.Data[6:12], f.Data[:6])
				copy(f.Data, src[:])
				f.Verdict = nic.Reply
			}
		}
		q.TxBurst(&b)
		n, err := unix.Read(fd, buf)
		if err == nil && n > 14 && bytes.Equal(buf[14:n], frame[14:]) {
			return buf[:n]
		}
	}
	t.Fatalf("no answer to a frame of %d bytes: %+v", len(frame), q.Stats())
	return nil
}

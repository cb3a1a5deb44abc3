package load

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"shredder/dataplane/nic"
)

// neighbour answers for the generator's address, and asks for the server's: ARP
// (RFC 826) over IPv4, neighbour discovery (RFC 4861) over IPv6.
type neighbour struct {
	local Endpoint
}

func newNeighbour(local Endpoint) neighbour { return neighbour{local} }

const (
	arpSize     = 28
	arpRequest  = 1
	arpReply    = 2
	protoICMPv6 = 58
	solicit     = 135
	advertise   = 136
	// advertisement flags: solicited, override.
	advertiseFlags = 0x60
	ndSize         = 32 // solicitation or advertisement with its one option
)

// Resolve asks for the MAC address of remote and waits up to the given time.
func Resolve(queue nic.Queue, local Endpoint, remote netip.Addr, patience time.Duration) ([6]byte, error) {
	n := newNeighbour(local)
	var b nic.Burst
	start := time.Now()
	for asked := time.Duration(-1); time.Since(start) < patience; {
		if since := time.Since(start); asked < 0 || since-asked > 100*time.Millisecond {
			asked = since
			if f, ok := queue.Alloc(); ok {
				f.Len = n.ask(f.Data, remote)
				queue.Send(f)
			}
		}
		queue.RxBurst(&b)
		for i := range b.N {
			f := &b.Frames[i]
			if mac, ok := n.learned(f.Data[:f.Len], remote); ok {
				queue.TxBurst(&b)
				return mac, nil
			}
			n.answer(f)
		}
		queue.TxBurst(&b)
	}
	return [6]byte{}, fmt.Errorf("load: nobody answers for %v", remote)
}

// ask writes a request for remote into data and returns the frame's length.
func (n *neighbour) ask(data []byte, remote netip.Addr) int {
	if remote.Is4() {
		return n.putARP(data, [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, arpRequest, [6]byte{}, remote)
	}
	ip := remote.As16()
	group := [16]byte{0: 0xff, 1: 2, 11: 1, 12: 0xff, 13: ip[13], 14: ip[14], 15: ip[15]}
	mac := [6]byte{0x33, 0x33, 0xff, ip[13], ip[14], ip[15]}
	return n.putND(data, mac, group, solicit, remote)
}

// answer turns a request for the local address into its answer and marks it
// Reply; it reports whether the frame was about neighbours at all.
func (n *neighbour) answer(f *nic.Frame) bool {
	b := f.Data[:f.Len]
	if len(b) < etherSize+arpSize {
		return false
	}
	sender := [6]byte(b[6:12])
	switch binary.BigEndian.Uint16(b[12:]) {
	case etherARP:
		asker, asked := netip.AddrFrom4([4]byte(b[28:32])), netip.AddrFrom4([4]byte(b[38:42]))
		if b[21] == arpRequest && asked == n.local.IP {
			f.Len = n.putARP(f.Data, sender, arpReply, sender, asker)
			f.Verdict = nic.Reply
		}
		return true
	case etherIPv6:
		if len(b) < etherSize+ipv6Size+24 || b[20] != protoICMPv6 {
			return false
		}
		if b[54] == solicit && netip.AddrFrom16([16]byte(b[62:78])) == n.local.IP {
			f.Len = n.putND(f.Data, sender, [16]byte(b[22:38]), advertise, n.local.IP)
			f.Verdict = nic.Reply
		}
		return true
	}
	return false
}

// learned reads remote's address from an answer.
func (n *neighbour) learned(b []byte, remote netip.Addr) ([6]byte, bool) {
	if len(b) < etherSize+arpSize {
		return [6]byte{}, false
	}
	switch binary.BigEndian.Uint16(b[12:]) {
	case etherARP:
		if b[21] == arpReply && netip.AddrFrom4([4]byte(b[28:32])) == remote {
			return [6]byte(b[22:28]), true
		}
	case etherIPv6:
		if len(b) >= etherSize+ipv6Size+ndSize && b[20] == protoICMPv6 && b[54] == advertise &&
			netip.AddrFrom16([16]byte(b[62:78])) == remote && b[78] == 2 {
			return [6]byte(b[80:86]), true
		}
	}
	return [6]byte{}, false
}

func (n *neighbour) putARP(data []byte, to [6]byte, op uint16, target [6]byte, targetIP netip.Addr) int {
	b := append(data[:0], to[:]...)
	b = append(b, n.local.MAC[:]...)
	b = append(b, etherARP>>8, etherARP&0xff, 0, 1, 8, 0, 6, 4)
	b = binary.BigEndian.AppendUint16(b, op)
	b = append(append(b, n.local.MAC[:]...), n.local.IP.AsSlice()...)
	b = append(append(b, target[:]...), targetIP.AsSlice()...)
	return pad(data, len(b))
}

// putND writes a solicitation or advertisement with the local MAC as its option.
func (n *neighbour) putND(data []byte, to [6]byte, toIP [16]byte, kind byte, target netip.Addr) int {
	b := append(data[:0], to[:]...)
	b = append(b, n.local.MAC[:]...)
	b = append(b, etherIPv6>>8, etherIPv6&0xff, 0x60, 0, 0, 0, 0, ndSize, protoICMPv6, 255)
	local, of := n.local.IP.As16(), target.As16()
	b = append(append(b, local[:]...), toIP[:]...)
	icmp := len(b)
	flags, option := byte(0), byte(1)
	if kind == advertise {
		flags, option = advertiseFlags, 2
	}
	b = append(b, kind, 0, 0, 0, flags, 0, 0, 0)
	b = append(b, of[:]...)
	b = append(append(b, option, 1), n.local.MAC[:]...)
	binary.BigEndian.PutUint16(b[icmp+2:], ^fold(sum(sum(ndSize+protoICMPv6, b[22:icmp]), b[icmp:])))
	return len(b)
}

// pad zeroes data up to Ethernet's least length and returns it.
func pad(data []byte, n int) int {
	const least = 60
	for n < least {
		data[n] = 0
		n++
	}
	return n
}

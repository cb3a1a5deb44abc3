package udp

import (
	"encoding/binary"
	"net"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"shredder/dataplane/nic"
)

// mmsghdr is struct mmsghdr: a message and how many bytes moved.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
	_   uint32
}

// controlRoom holds one IP_PKTINFO or IPV6_PKTINFO.
const controlRoom = 48

// message is one entry's memory: all of it Go's, pointed at from its mmsghdr.
type message struct {
	name    unix.RawSockaddrInet6 // the longer of both families
	iov     unix.Iovec
	control [controlRoom / 8]uint64 // aligned as cmsghdr wants
	slot    int
}

// receiver holds a burst's worth of slots for the kernel to fill.
type receiver struct {
	headers  [nic.BurstSize]mmsghdr
	messages [nic.BurstSize]message
	armed    int // the first of them have a slot
	local    endpoint
}

func (r *receiver) init(q *Queue) {
	r.local = toEndpoint(q.local)
	for i := range r.messages {
		m := &r.messages[i]
		h := &r.headers[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&m.name))
		h.Iov, h.Iovlen = &m.iov, 1
		if q.any {
			h.Control = (*byte)(unsafe.Pointer(&m.control))
		}
	}
}

// arm gives slots to the entries that have none, and returns how many have one.
func (r *receiver) arm(q *Queue) int {
	for r.armed < nic.BurstSize && len(q.free) > 0 {
		m := &r.messages[r.armed]
		last := len(q.free) - 1
		m.slot = q.free[last]
		q.free = q.free[:last]
		payload := q.mem[m.slot*q.room+headerRoom:]
		m.iov.Base = &payload[0]
		m.iov.SetLen(q.room - headerRoom)
		r.armed++
	}
	return r.armed
}

func (r *receiver) receive(q *Queue, b *nic.Burst) {
	want := r.arm(q)
	if want == 0 {
		return
	}
	for i := range want {
		h := &r.headers[i].hdr
		h.Namelen = unix.SizeofSockaddrInet6
		h.Flags = 0
		if q.any {
			h.SetControllen(controlRoom)
		}
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(q.fd), uintptr(unsafe.Pointer(&r.headers)),
		uintptr(want), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 || n == 0 {
		return // nothing there, or interrupted: the next turn sees
	}
	kept, bytes := 0, 0
	for i := range int(n) {
		m, h := &r.messages[i], &r.headers[i]
		ok := h.hdr.Flags&unix.MSG_TRUNC == 0 && r.frame(q, m, h, &b.Frames[kept])
		if !ok {
			q.stats.truncated.Add(1)
			q.free = append(q.free, m.slot)
			continue
		}
		q.lent[m.slot] = true
		bytes += b.Frames[kept].Len
		kept++
	}
	q.inUse.Add(int64(kept))
	q.stats.rxFrames.Add(uint64(kept))
	q.stats.rxBytes.Add(uint64(bytes))
	b.N = kept
	r.close(int(n))
}

// close moves the slots that were not used to the front.
func (r *receiver) close(used int) {
	for i := used; i < r.armed; i++ {
		r.messages[i-used].slot = r.messages[i].slot
		r.messages[i-used].iov = r.messages[i].iov
	}
	r.armed -= used
}

// frame makes entry m the frame f, or reports false if it is longer than the MTU.
func (r *receiver) frame(q *Queue, m *message, h *mmsghdr, f *nic.Frame) bool {
	src, dst := m.from(), r.local
	if q.any {
		m.destination(&h.hdr, &dst)
	}
	start := m.slot * q.room
	payloadLen := int(h.n)
	n := putHeaders(q.mem[start:start+headerRoom], &src, &dst, payloadLen)
	if n-etherLen+payloadLen > q.caps.MTU {
		return false
	}
	end := start + q.room
	f.Data = q.mem[start+headerRoom-n : end : end]
	f.Len = n + payloadLen
	f.Verdict = nic.Drop
	f.Checksum = nic.ChecksumGood
	f.Handle = uintptr(m.slot + 1)
	return true
}

// from is the sender of a received message.
func (m *message) from() endpoint {
	var e endpoint
	raw := (*[unix.SizeofSockaddrInet6]byte)(unsafe.Pointer(&m.name))
	e.port = binary.BigEndian.Uint16(raw[2:])
	if m.name.Family == unix.AF_INET {
		copy(e.addr[:], mapped[:])
		copy(e.addr[12:], raw[4:8])
		return e
	}
	e.addr = m.name.Addr
	return e
}

// destination reads the address that a message was sent to from its control bytes.
func (m *message) destination(h *unix.Msghdr, dst *endpoint) {
	c := (*[controlRoom]byte)(unsafe.Pointer(&m.control))
	if h.Controllen < unix.SizeofCmsghdr {
		return
	}
	header := (*unix.Cmsghdr)(unsafe.Pointer(c))
	data := c[unix.SizeofCmsghdr:]
	switch {
	case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_PKTINFO:
		// ifindex, the local address, the address in the packet
		copy(dst.addr[:], mapped[:])
		copy(dst.addr[12:], data[8:12])
	case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_PKTINFO:
		copy(dst.addr[:], data[:16])
	}
}

func (r *receiver) wait(q *Queue, nanos int64) {
	fds := [2]unix.PollFd{{Fd: int32(q.fd), Events: unix.POLLIN}, q.bell.poll()}
	q.bell.wait(fds[:], nanos)
}

// drop gives the slots in stock back.
func (r *receiver) drop(q *Queue) {
	for i := range r.armed {
		q.free = append(q.free, r.messages[i].slot)
	}
	r.armed = 0
}

// stagedMax is how many frames wait for the next turn; one more sends them.
const stagedMax = 64

// transmitter holds the staged frames.
type transmitter struct {
	headers  [stagedMax]mmsghdr
	messages [stagedMax]message
	lens     [stagedMax]int // of the whole frame
	fds      [stagedMax]int // the socket it leaves by
	n        int
}

func (x *transmitter) init(q *Queue) {
	for i := range x.messages {
		m := &x.messages[i]
		h := &x.headers[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&m.name))
		h.Iov, h.Iovlen = &m.iov, 1
		h.Namelen = unix.SizeofSockaddrInet4
		if q.ipv6 {
			h.Namelen = unix.SizeofSockaddrInet6
		}
	}
}

// stage takes f over, or reports false if a socket cannot send it.
func (x *transmitter) stage(q *Queue, f *nic.Frame) bool {
	if x.n == stagedMax {
		x.send(q)
	}
	var src, dst endpoint
	payload, ok := parseHeaders(f.Data[:f.Len], &src, &dst)
	if !ok || !q.ipv6 && !dst.is4() {
		return false
	}
	m, h := &x.messages[x.n], &x.headers[x.n].hdr
	m.slot = int(f.Handle) - 1
	m.iov.Base = unsafe.SliceData(payload)
	m.iov.SetLen(len(payload))
	m.to(&dst, q.ipv6)
	h.Control = nil
	h.SetControllen(0)
	if q.any {
		m.source(h, &src, q.ipv6)
	}
	x.lens[x.n] = f.Len
	x.fds[x.n] = q.socketOf(src.port)
	x.n++
	return true
}

// to fills in the destination.
func (m *message) to(dst *endpoint, ipv6 bool) {
	raw := (*[unix.SizeofSockaddrInet6]byte)(unsafe.Pointer(&m.name))
	binary.BigEndian.PutUint16(raw[2:], dst.port)
	if !ipv6 {
		m.name.Family = unix.AF_INET
		copy(raw[4:8], dst.addr[12:])
		return
	}
	m.name.Family = unix.AF_INET6
	m.name.Addr = dst.addr
}

// source has the kernel send from the address that the request was sent to.
func (m *message) source(h *unix.Msghdr, src *endpoint, ipv6 bool) {
	m.control = [controlRoom / 8]uint64{}
	c := (*[controlRoom]byte)(unsafe.Pointer(&m.control))
	header := (*unix.Cmsghdr)(unsafe.Pointer(c))
	data := c[unix.SizeofCmsghdr:]
	dataLen := 0
	if ipv6 {
		header.Level, header.Type, dataLen = unix.IPPROTO_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo
		copy(data, src.addr[:])
	} else {
		header.Level, header.Type, dataLen = unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo
		copy(data[4:], src.addr[12:])
	}
	header.SetLen(unix.SizeofCmsghdr + dataLen)
	h.Control = &c[0]
	h.SetControllen(unix.CmsgSpace(dataLen))
}

// send hands everything staged to the kernel. A frame that it refuses for its
// own sake (an unreachable address) is dropped and those behind it go on; when
// the socket buffer is full the rest are dropped.
func (x *transmitter) send(q *Queue) {
	for done := 0; done < x.n; {
		end := done + 1
		for end < x.n && x.fds[end] == x.fds[done] {
			end++
		}
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(x.fds[done]), uintptr(unsafe.Pointer(&x.headers[done])),
			uintptr(end-done), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			bytes := 0
			for _, frameLen := range x.lens[done : done+int(n)] {
				bytes += frameLen
			}
			q.stats.txFrames.Add(uint64(n))
			q.stats.txBytes.Add(uint64(bytes))
			done += int(n)
		case unix.EINTR:
		case unix.EAGAIN, unix.ENOBUFS:
			q.stats.txDropped.Add(uint64(end - done))
			done = end
		default:
			q.stats.txDropped.Add(1)
			done++
		}
	}
	x.drop(q)
}

// drop frees everything staged.
func (x *transmitter) drop(q *Queue) {
	for i := range x.n {
		q.release(uintptr(x.messages[i].slot + 1))
		x.messages[i].iov.Base = nil
	}
	x.n = 0
}

// zoneIndex turns an IPv6 zone, a name or a number, into an interface index.
func zoneIndex(zone string) uint32 {
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	return 0
}

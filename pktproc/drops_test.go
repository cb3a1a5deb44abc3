package pktproc

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"shredder/dataplane/nic"
	"shredder/pktproc/wire"
)

// TestDrops holds, for every reason, a frame that is dropped for it and for
// nothing else.
func TestDrops(t *testing.T) {
	l := newOpenLocal(t, 1, "one")
	ping := func(r *rig, a path) []byte { return r.trusted(a, 1).frame(0, opPing("x")) }
	edit := func(a path, change func(b []byte) []byte) func(r *rig) []byte {
		return func(r *rig) []byte { return change(ping(r, a)) }
	}
	// at changes bytes and mends the IPv4 header's checksum.
	at := func(off int, v ...byte) func(b []byte) []byte {
		return func(b []byte) []byte {
			copy(b[off:], v)
			if b[12] == 8 && b[14]>>4 == 4 && b[14]&15 >= 5 {
				fixIPv4(b, etherHeader)
			}
			return b
		}
	}
	cut := func(n int) func(b []byte) []byte { return func(b []byte) []byte { return b[:n] } }
	noSum, v6 := path{noSum: true}, path{v6: true}
	for _, c := range []struct {
		name  string
		want  Drop
		frame func(r *rig) []byte
	}{
		{"empty", DropShort, edit(noSum, cut(0))},
		{"half an Ethernet header", DropShort, edit(noSum, cut(13))},
		{"three tags", DropVLAN, edit(path{vlans: []uint16{1, 2, 3}}, cut(60))},
		{"tag cut off", DropVLAN, edit(path{vlans: []uint16{1}}, cut(16))},
		{"other protocol", DropEtherType, edit(noSum, at(12, 0x88, 0xcc))},
		{"foreign MAC", DropForeignMAC, edit(noSum, at(5, 0x77))},
		{"broadcast MAC", DropGroup, edit(noSum, at(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))},
		{"multicast MAC", DropGroup, edit(v6, at(0, 0x33, 0x33, 0, 0, 0, 1))},
		{"from a group MAC", DropBadSource, edit(noSum, at(6, 1))},
		{"from our own MAC", DropBadSource, edit(noSum, at(6, serverMAC...))},
		{"IPv4 header cut off", DropShort, edit(noSum, cut(14+19))},
		{"IPv4 version", DropBadIP, edit(noSum, at(14, 0x55))},
		{"IPv4 header length", DropBadIP, edit(noSum, at(14, 0x44))},
		{"IPv4 total below header", DropBadIP, edit(noSum, at(16, 0, 19))},
		{"IPv4 total above frame", DropShort, edit(noSum, at(16, 5, 0))},
		{"IPv4 checksum", DropIPChecksum, edit(noSum, func(b []byte) []byte { b[24]++; return b })},
		{"IPv4 first fragment", DropFragment, edit(noSum, at(20, 0x20, 0))},
		{"IPv4 later fragment", DropFragment, edit(noSum, at(20, 0, 9))},
		{"TCP", DropProtocol, edit(noSum, at(23, 6))},
		{"to another IPv4 address", DropForeignIP, edit(noSum, at(30, 10, 0, 0, 2))},
		{"to the network's broadcast address", DropGroup, edit(noSum, at(30, 10, 0, 0, 255))},
		{"to all", DropGroup, edit(noSum, at(30, 255, 255, 255, 255))},
		{"to an IPv4 group", DropGroup, edit(noSum, at(30, 224, 0, 0, 1))},
		{"from the network's broadcast address", DropBadSource, edit(noSum, at(26, 10, 0, 0, 255))},
		{"from all", DropBadSource, edit(noSum, at(26, 255, 255, 255, 255))},
		{"from an IPv4 group", DropBadSource, edit(noSum, at(26, 239, 1, 1, 1))},
		{"from nobody", DropBadSource, edit(noSum, at(26, 0, 0, 0, 0))},
		{"from ourselves", DropBadSource, edit(noSum, at(26, 10, 0, 0, 1))},
		{"from port 0", DropBadSource, edit(noSum, at(34, 0, 0))},
		{"to another port", DropForeignPort, edit(noSum, at(36, 0, 53))},
		{"to the port above ours", DropForeignPort, edit(noSum, at(36, (testBasePort+1)>>8, (testBasePort+1)&0xff))},
		{"to the port below ours", DropForeignPort, edit(noSum, at(36, (testBasePort-1)>>8, (testBasePort-1)&0xff))},
		{"UDP length above IP", DropBadUDP, edit(noSum, at(38, 5, 0))},
		{"UDP length below its header", DropBadUDP, edit(noSum, at(38, 0, 7))},
		{"UDP header cut off", DropShort, edit(noSum, at(16, 0, 27))},
		{"UDP checksum", DropUDPChecksum, edit(path{}, func(b []byte) []byte { b[len(b)-1]++; return b })},
		{"UDP checksum over IPv6", DropUDPChecksum, edit(v6, func(b []byte) []byte { b[len(b)-1]++; return b })},
		{"no UDP checksum over IPv6", DropUDPChecksum, edit(v6, at(60, 0, 0))},
		{"IPv6 header cut off", DropShort, edit(v6, cut(14+39))},
		{"IPv6 version", DropBadIP, edit(v6, at(14, 0x50))},
		{"IPv6 length above frame", DropShort, edit(v6, at(18, 5, 0))},
		{"IPv6 fragment", DropFragment, edit(v6, at(20, 44))},
		{"IPv6 hop-by-hop", DropExtension, edit(v6, at(20, 0))},
		{"IPv6 routing", DropExtension, edit(v6, at(20, 43))},
		{"IPv6 destination options", DropExtension, edit(v6, at(20, 60))},
		{"TCP over IPv6", DropProtocol, edit(v6, at(20, 6))},
		{"to another IPv6 address", DropForeignIP, edit(v6, at(53, 2))},
		{"to an IPv6 group", DropGroup, edit(v6, at(38, 0xff))},
		{"from an IPv6 group", DropBadSource, edit(v6, at(22, 0xff))},
		{"from our own IPv6 address", DropBadSource, edit(v6, at(37, 1))},
		{"from the unspecified address", DropBadSource, edit(v6, at(22, make([]byte, 16)...))},
		{"no wire header", DropRunt, func(r *rig) []byte { return noSum.frame(t, make([]byte, 31)) }},
		{"a reply", DropReply, func(r *rig) []byte { return r.trusted(noSum, 1).frame(wire.FlagReply, opPing("")) }},
		{"ARP cut off", DropShort, edit(noSum, func(b []byte) []byte { return at(12, 8, 6)(b)[:41] })},
		{"ARP that is none", DropARP, edit(noSum, at(12, 8, 6))},
		{"for an lcore that is not", DropNoHome, func(r *rig) []byte {
			return (&client{r: r, path: noSum, id: makeSessionID(1, 1, 1)}).frame(0, opPing(""))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lcores := 1
			if c.want == DropNoHome {
				lcores = 2
			}
			r := newRig(t, func(cfg *Config) { cfg.Lcores = lcores }, l)
			if out := r.process(c.frame(r))[0]; out != nil {
				t.Fatal("answered")
			}
			for d, n := range r.p.n.Drops {
				if (Drop(d) == c.want) != (n == 1) || n > 1 {
					t.Errorf("%v: %d, want only %v", Drop(d), n, c.want)
				}
			}
		})
	}
}

// TestDeviceChecksum: what the device says about checksums is believed.
func TestDeviceChecksum(t *testing.T) {
	r := newRig(t, nil, newOpenLocal(t, 1, "one"))
	f := r.trusted(path{}, 1).frame(0, opPing("x"))
	for _, c := range []struct {
		word  nic.Checksum
		spoil bool
		reply bool
	}{{nic.ChecksumGood, false, true}, {nic.ChecksumGood, true, true}, {nic.ChecksumBad, false, false}, {nic.ChecksumUnknown, true, false}} {
		data := make([]byte, 1600)
		copy(data, f)
		if c.spoil {
			data[len(f)-1] ^= 1
		}
		r.burst.N = 1
		r.burst.Frames[0] = nic.Frame{Data: data, Len: len(f), Checksum: c.word}
		r.p.Process(&r.burst, r.now)
		if got := r.burst.Frames[0].Verdict == nic.Reply; got != c.reply {
			t.Errorf("checksum %v, spoiled %v: reply %v", c.word, c.spoil, got)
		}
	}
}

// TestRefusals: what belongs to us but may not be, is answered with a header.
func TestRefusals(t *testing.T) {
	l := newLocal(t, 1, "one")
	open := newOpenLocal(t, 2, "open")
	r := newRig(t, nil, l, open)
	c := r.hello(path{}, l, wire.RoleData, dataToken)
	other := *c
	other.path.srcPort = 5
	elsewhere := *c
	elsewhere.path.src = netip.MustParseAddr("10.0.0.8")
	wrong := *c
	wrong.secret++
	stale := *c
	stale.id += 1 << 8
	outside := r.trusted(path{src: netip.MustParseAddr("10.9.0.9")}, 2)
	for name, x := range map[string]struct {
		frame []byte
		want  wire.Status
	}{
		"other port":           {other.frame(0, opPing("")), wire.StatusNoSession},
		"other address":        {elsewhere.frame(0, opPing("")), wire.StatusNoSession},
		"wrong secret":         {wrong.frame(0, opPing("")), wire.StatusNoSession},
		"free slot":            {stale.frame(0, opPing("")), wire.StatusNoSession},
		"session 0":            {(&client{r: r}).frame(0, opPing("")), wire.StatusNoSession},
		"no such tenant":       {r.trusted(path{}, 77).frame(0, opPing("")), wire.StatusNoTenant},
		"tenant has token":     {r.trusted(path{}, 1).frame(0, opPing("")), wire.StatusDenied},
		"untrusted source":     {outside.frame(0, opPing("")), wire.StatusDenied},
		"unknown flag":         {c.frame(1<<6, opPing("")), wire.StatusUnsupported},
		"write without number": {c.path.frame(t, c.datagram(0, 0, opSet("a", "b"))), wire.StatusMalformed},
		"truncated":            {path{}.frame(t, c.datagram(9, 0, opPing("12345678"))[:44]), wire.StatusMalformed},
	} {
		out := r.process(x.frame)[0]
		pay := out[etherHeader+28:]
		h, ops := parseReply(t, pay[:int(binary.BigEndian.Uint16(out[38:]))-8])
		if h.Status() != x.want || len(ops) != 0 {
			t.Errorf("%s: %v with %d operations, want %v", name, h.Status(), len(ops), x.want)
		}
		if len(out) > len(x.frame) {
			t.Errorf("%s: the refusal is longer than the request", name)
		}
	}
}

// TestMTU: offsets in a frame have 16 bits, so a device that lets longer frames
// in is refused, and the longest that others let in do not wrap them.
func TestMTU(t *testing.T) {
	for mtu, good := range map[int]bool{0: true, 575: false, 576: true, 9000: true, maxMTU: true, maxMTU + 1: false, 65535: false} {
		_, err := New(Config{Lcores: 1, BasePort: testBasePort, Queue: &fakeQueue{caps: nic.Capabilities{MTU: mtu}}, Limits: Limits{Sessions: 1}})
		if (err == nil) != good {
			t.Errorf("MTU %d: %v", mtu, err)
		}
	}
	r := newRig(t, nil)
	for _, a := range []path{{}, {noSum: true}, {v6: true}, {vlans: []uint16{1, 2}}} {
		frame := a.frame(t, make([]byte, maxMTU-60)) // as long as the MTU lets through
		r.burst.N = 1
		r.burst.Frames[0] = nic.Frame{Data: append(frame, make([]byte, 100)...), Len: len(frame)}
		r.p.Process(&r.burst, r.now)
	}
	if n := r.p.n.Requests + r.p.n.Drops[DropRunt]; n == 0 {
		t.Error("no frame got as far as its datagram")
	}
}

package pktproc

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

func serialize(t *testing.T, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		t.Fatal(err)
	}
	return append([]byte(nil), buf.Bytes()...)
}

func arpRequest(t *testing.T, tags []uint16, sender, target netip.Addr) []byte {
	eth := &layers.Ethernet{SrcMAC: clientMAC, DstMAC: layers.EthernetBroadcast, EthernetType: layers.EthernetTypeARP}
	ls := []gopacket.SerializableLayer{eth}
	for _, id := range tags {
		eth.EthernetType = layers.EthernetTypeDot1Q
		ls = append(ls, &layers.Dot1Q{VLANIdentifier: id, Type: layers.EthernetTypeARP})
	}
	ls = append(ls, &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4,
		Operation: layers.ARPRequest, SourceHwAddress: clientMAC, SourceProtAddress: sender.AsSlice(),
		DstHwAddress: make([]byte, 6), DstProtAddress: target.AsSlice(),
	})
	return serialize(t, ls...)
}

func TestARP(t *testing.T) {
	for _, tags := range [][]uint16{nil, {5}} {
		r := newRig(t, nil)
		f := append(arpRequest(t, tags, client4, server4), make([]byte, 18)...)
		out := r.process(f)[0]
		if len(out) != len(f) {
			t.Fatalf("tags %v: %d bytes for %d", tags, len(out), len(f))
		}
		a, ok := gopacket.NewPacket(out, layers.LayerTypeEthernet, gopacket.Default).Layer(layers.LayerTypeARP).(*layers.ARP)
		if !ok || a.Operation != layers.ARPReply || !bytes.Equal(a.SourceHwAddress, serverMAC) || !bytes.Equal(a.SourceProtAddress, server4.AsSlice()) ||
			!bytes.Equal(a.DstHwAddress, clientMAC) || !bytes.Equal(a.DstProtAddress, client4.AsSlice()) ||
			!bytes.Equal(out[:6], clientMAC) || !bytes.Equal(out[6:12], serverMAC) {
			t.Fatalf("tags %v: % x", tags, out)
		}
		// RFC 5227: a probe comes from 0.0.0.0 and is answered.
		if r.process(arpRequest(t, tags, netip.IPv4Unspecified(), server4))[0] == nil {
			t.Fatal("a probe got no answer")
		}
		for name, f := range map[string][]byte{
			"for another":     arpRequest(t, tags, client4, netip.MustParseAddr("10.0.0.2")),
			"from our own":    arpRequest(t, tags, server4, server4),
			"from a group":    arpRequest(t, tags, netip.MustParseAddr("224.0.0.1"), server4),
			"from all":        arpRequest(t, tags, netip.MustParseAddr("10.0.0.255"), server4),
			"ARP's own reply": out,
		} {
			if r.process(f)[0] != nil {
				t.Errorf("ARP %s was answered", name)
			}
		}
	}
}

func solicitation(t *testing.T, src, target netip.Addr, option bool) []byte {
	last := target.As16()
	dst := netip.AddrFrom16([16]byte{0xff, 2, 11: 1, 12: 0xff, 13: last[13], 14: last[14], 15: last[15]})
	ip := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolICMPv6, HopLimit: 255, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(135, 0)}
	_ = icmp.SetNetworkLayerForChecksum(ip)
	ns := &layers.ICMPv6NeighborSolicitation{TargetAddress: target.AsSlice()}
	if option {
		ns.Options = layers.ICMPv6Options{{Type: layers.ICMPv6OptSourceAddress, Data: clientMAC}}
	}
	return serialize(t, &layers.Ethernet{SrcMAC: clientMAC, DstMAC: net.HardwareAddr{0x33, 0x33, 0xff, last[13], last[14], last[15]}, EthernetType: layers.EthernetTypeIPv6}, ip, icmp, ns)
}

func icmp6Good(t *testing.T, b []byte) {
	t.Helper()
	n := int(b[18])<<8 | int(b[19])
	if naiveSum(uint32(naiveSum(0, b[22:54]))+58+uint32(n), b[54:54+n]) != 0xffff {
		t.Fatal("ICMPv6 checksum of the reply is wrong")
	}
}

func TestNeighbourDiscovery(t *testing.T) {
	r := newRig(t, nil)
	f := solicitation(t, client6, server6, true)
	out := r.process(f)[0]
	if out == nil || len(out) > len(f) {
		t.Fatalf("%d bytes for %d; drops %v", len(out), len(f), r.p.n.Drops)
	}
	icmp6Good(t, out)
	pkt := gopacket.NewPacket(out, layers.LayerTypeEthernet, gopacket.Default)
	na, ok := pkt.Layer(layers.LayerTypeICMPv6NeighborAdvertisement).(*layers.ICMPv6NeighborAdvertisement)
	ip := pkt.Layer(layers.LayerTypeIPv6).(*layers.IPv6)
	if !ok || !na.TargetAddress.Equal(server6.AsSlice()) || na.Flags != 0x60 || len(na.Options) != 1 ||
		na.Options[0].Type != layers.ICMPv6OptTargetAddress || !bytes.Equal(na.Options[0].Data, serverMAC) ||
		!ip.DstIP.Equal(client6.AsSlice()) || !ip.SrcIP.Equal(server6.AsSlice()) || ip.HopLimit != 255 || !bytes.Equal(out[:6], clientMAC) {
		t.Fatalf("% x", out)
	}
	// Duplicate address detection is answered to all nodes.
	f = solicitation(t, netip.IPv6Unspecified(), server6, false)
	out = r.process(f)[0]
	if out == nil || len(out) > len(f) || !bytes.Equal(out[:6], []byte{0x33, 0x33, 0, 0, 0, 1}) {
		t.Fatalf("duplicate address detection: % x", out)
	}
	icmp6Good(t, out)
	hops := solicitation(t, client6, server6, true)
	hops[21] = 254
	spoilt := solicitation(t, client6, server6, true)
	spoilt[57]++
	for name, f := range map[string][]byte{
		"for another": solicitation(t, client6, netip.MustParseAddr("fd00::2"), true), "from a router away": hops,
		"spoilt": spoilt, "from our own": solicitation(t, server6, server6, true),
		"unspecified with an option": solicitation(t, netip.IPv6Unspecified(), server6, true),
	} {
		if r.process(f)[0] != nil {
			t.Errorf("solicitation %s was answered", name)
		}
	}
}

func TestEcho(t *testing.T) {
	r := newRig(t, nil)
	for n := range 300 {
		data := bytes.Repeat([]byte{byte(n), 0xff}, n)
		f := serialize(t, &layers.Ethernet{SrcMAC: clientMAC, DstMAC: serverMAC, EthernetType: layers.EthernetTypeIPv4},
			&layers.IPv4{Version: 4, TTL: 3, Protocol: layers.IPProtocolICMPv4, SrcIP: client4.AsSlice(), DstIP: server4.AsSlice()},
			&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: uint16(n * 219), Seq: uint16(n)}, gopacket.Payload(data))
		f = append(f, make([]byte, max(0, 60-len(f)))...)
		out := r.process(f)[0]
		if len(out) != len(f) {
			t.Fatalf("%d bytes for %d", len(out), len(f))
		}
		total := int(out[16])<<8 | int(out[17])
		if naiveSum(0, out[14:34]) != 0xffff || naiveSum(0, out[34:14+total]) != 0xffff || out[34] != 0 || !bytes.Equal(out[42:14+total], data) ||
			!bytes.Equal(out[26:30], server4.AsSlice()) {
			t.Fatalf("echo of %d bytes: % x", len(data), out)
		}
		ip := &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolICMPv6, HopLimit: 3, SrcIP: client6.AsSlice(), DstIP: server6.AsSlice()}
		icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}
		_ = icmp.SetNetworkLayerForChecksum(ip)
		f = serialize(t, &layers.Ethernet{SrcMAC: clientMAC, DstMAC: serverMAC, EthernetType: layers.EthernetTypeIPv6}, ip, icmp,
			&layers.ICMPv6Echo{Identifier: uint16(n), SeqNumber: 9}, gopacket.Payload(data))
		out = r.process(f)[0]
		if len(out) != len(f) || out[54] != 129 || !bytes.Equal(out[62:], data) {
			t.Fatalf("ICMPv6 echo of %d bytes: % x", len(data), out)
		}
		icmp6Good(t, out)
	}
	if r.p.n.Echo != 600 || r.p.n.Drops != [NumDrops]uint64{} {
		t.Fatalf("%d echoes, drops %v", r.p.n.Echo, r.p.n.Drops)
	}
	echo := func(dst netip.Addr, mac net.HardwareAddr, typ uint8) []byte {
		return serialize(t, &layers.Ethernet{SrcMAC: clientMAC, DstMAC: mac, EthernetType: layers.EthernetTypeIPv4},
			&layers.IPv4{Version: 4, TTL: 3, Protocol: layers.IPProtocolICMPv4, SrcIP: client4.AsSlice(), DstIP: dst.AsSlice()},
			&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(typ, 0)})
	}
	for name, f := range map[string][]byte{
		"to all": echo(netip.MustParseAddr("10.0.0.255"), layers.EthernetBroadcast, 8), "to another": echo(client4, serverMAC, 8),
		"reply": echo(server4, serverMAC, 0), "redirect": echo(server4, serverMAC, 5),
	} {
		if r.process(f)[0] != nil {
			t.Errorf("echo %s was answered", name)
		}
	}
}

package pktproc

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gopacket/gopacket/layers"

	"shredder/pktproc/wire"
	"shredder/tenants"
)

// TestPaths sends requests by every kind of way a frame can take.
func TestPaths(t *testing.T) {
	timestamp := layers.IPv4Option{OptionType: 68, OptionLength: 12, OptionData: make([]byte, 10)}
	for name, a := range map[string]path{
		"ipv4":          {},
		"ipv4-no-sum":   {noSum: true},
		"ipv4-vlan":     {vlans: []uint16{7}},
		"ipv4-qinq":     {vlans: []uint16{7, 9}},
		"ipv4-options":  {options: []layers.IPv4Option{timestamp}},
		"ipv4-opt-vlan": {options: []layers.IPv4Option{timestamp}, vlans: []uint16{1, 2}},
		"ipv6":          {v6: true},
		"ipv6-vlan":     {v6: true, vlans: []uint16{7}},
		"ipv6-qinq":     {v6: true, vlans: []uint16{7, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLocal(t, 1, "one")
			r := newRig(t, nil, l)
			c := r.hello(a, l, wire.RoleData, dataToken)
			for n := range 200 {
				if got := c.one(opPing(strings.Repeat("x", n))); string(got.Value()) != strings.Repeat("x", n) {
					t.Fatalf("PING of %d bytes came back with %d", n, len(got.Value()))
				}
				key, value := fmt.Sprintf("key%d", n), strings.Repeat(string(rune('a'+n%26)), n*7)
				if n*7 < 1300 {
					must(t, c.one(opSet(key, value)), wire.StatusOK)
					got := must(t, c.one(opGet(key)), wire.StatusOK)
					if string(got.Value()) != value || got.Word(1) != uint64(len(value)) || got.Flags() != 0 {
						t.Fatalf("GET after SET of %d bytes: %d bytes", len(value), len(got.Value()))
					}
				}
				c.first = c.seq
			}
			must(t, c.one(opGet("absent")), wire.StatusNotFound)
			if r.p.n.Drops != [NumDrops]uint64{} {
				t.Fatalf("drops: %v", r.p.n.Drops)
			}
		})
	}
}

// TestPadding: what a device adds to short frames is no part of the datagram,
// and a UDP length below the IP length counts.
func TestPadding(t *testing.T) {
	l := newOpenLocal(t, 1, "one")
	r := newRig(t, nil, l)
	c := r.trusted(path{}, 1)
	f := c.frame(0, opPing("hi"))
	f = append(f, bytes.Repeat([]byte{0xee}, 40)...)
	h, ops := c.reply(r.process(f)[0])
	if h.Status() != wire.StatusOK || string(ops[0].Value()) != "hi" {
		t.Fatalf("%v %q", h.Status(), ops[0].Value())
	}
}

// TestPort: replies name the home lcore's port, and come from the port that
// was asked.
func TestPort(t *testing.T) {
	l := newOpenLocal(t, 1, "one")
	r := newRig(t, func(c *Config) { c.Lcores = 4 }, l)
	c := r.trusted(path{dstPort: testBasePort + 3}, 1)
	b := r.process(c.frame(0, opPing("")))[0]
	h, _ := c.reply(b)
	if h.Port() != testBasePort {
		t.Fatalf("the reply names port %d", h.Port())
	}
	if got := int(b[34])<<8 | int(b[35]); got != testBasePort+3 {
		t.Fatalf("the reply comes from port %d", got)
	}
}

// TestForward: frames of another lcore's tenants and sessions are handed over
// as they came, without padding, and Deliver answers them.
func TestForward(t *testing.T) {
	l := newOpenLocal(t, 1, "one")
	l.Home = 1
	var handed [][]byte
	full := false
	two := func(lcore int) *rig {
		return newRig(t, func(c *Config) {
			c.Lcore, c.Lcores = lcore, 2
			c.Forward = func(to int, frame []byte) bool {
				if full || to != 1 {
					return false
				}
				handed = append(handed, append([]byte(nil), frame...))
				return true
			}
		}, l)
	}
	away, home := two(0), two(1)
	c := away.trusted(path{}, 1)
	if b := away.process(c.frame(0, opPing("x")))[0]; b != nil || len(handed) != 1 {
		t.Fatalf("not handed over")
	}
	home.p.Deliver(handed[0], home.now)
	h, ops := c.reply(home.takeSent()[0])
	if h.Port() != testBasePort+1 || string(ops[0].Value()) != "x" {
		t.Fatalf("port %d, %q", h.Port(), ops[0].Value())
	}
	// HELLO2 is verified where it arrives and executed at home.
	_, ops = parseReply(t, path{}.open(t, away.process(path{}.frame(t, hello1()))[0]))
	cookie := append([]byte(nil), ops[0].Value()...)
	handed = nil
	if b := away.process(path{}.frame(t, hello2(cookie, [2]uint64{}, 0, "one", []byte("wrong"))))[0]; b == nil || len(handed) != 0 {
		t.Fatal("a HELLO2 with a wrong proof was handed over")
	}
	away.process(path{}.frame(t, hello2(cookie, [2]uint64{}, 0, "one", nil)))
	if len(handed) != 1 {
		t.Fatal("a good HELLO2 was not handed over")
	}
	home.p.Deliver(handed[0], home.now)
	_, ops = parseReply(t, path{}.open(t, home.takeSent()[0]))
	id := uint32(ops[0].Word(1))
	if sessionLcore(id) != 1 {
		t.Fatalf("session %x is not lcore 1's", id)
	}
	full = true
	before := away.p.n.Drops[DropForwardFull]
	s := &client{r: away, id: id}
	if b := away.process(s.frame(0, opPing("x")))[0]; b != nil || away.p.n.Drops[DropForwardFull] != before+1 {
		t.Fatal("a full ring must drop and count")
	}
	home.q.empty = true
	home.p.Deliver(handed[0], home.now)
	if home.p.n.Drops[DropNoBuffer] != 1 || home.q.lent != 0 {
		t.Fatal("no buffer must drop and count")
	}
}

// TestNoMoreThanOneTenant: a session of one tenant never reads another's keys.
func TestTenantsApart(t *testing.T) {
	one, two := newLocal(t, 1, "one"), newLocal(t, 2, "two")
	r := newRig(t, nil, one, two)
	a := r.hello(path{srcPort: 1001}, one, wire.RoleData, dataToken)
	b := r.hello(path{srcPort: 1002}, two, wire.RoleData, dataToken)
	must(t, a.one(opSet("k", "of one")), wire.StatusOK)
	must(t, b.one(opGet("k")), wire.StatusNotFound)
	must(t, b.one(opSet("k", "of two")), wire.StatusOK)
	if got := a.one(opGet("k")); string(got.Value()) != "of one" {
		t.Fatalf("%q", got.Value())
	}
	// A deleted tenant's sessions die with it, even if its slot and id come back.
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventRemove, Local: one})
	again := newLocal(t, 1, "one")
	r.p.HandleEvent(tenants.Event{Kind: tenants.EventInstall, Local: again})
	if h, _ := a.send(0, opGet("k")); h.Status() != wire.StatusNoSession {
		t.Fatalf("a session of a deleted tenant: %v", h.Status())
	}
}

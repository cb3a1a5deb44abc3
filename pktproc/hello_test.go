package pktproc

import (
	"net/netip"
	"testing"

	"shredder/pktproc/wire"
)

func TestHello(t *testing.T) {
	l := newLocal(t, 1, "one")
	bare := newOpenLocal(t, 2, "bare")
	bare.DeployToken = nil
	shared := newLocal(t, 3, "shared") // one token for both roles
	shared.DeployToken = nil
	r := newRig(t, nil, l, bare, shared)
	for name, x := range map[string]struct {
		tenant string
		role   uint64
		token  []byte
		want   wire.Status
	}{
		"data":               {"one", wire.RoleData, dataToken, wire.StatusOK},
		"deploy":             {"one", wire.RoleDeploy, codeToken, wire.StatusOK},
		"data with deploy's": {"one", wire.RoleData, codeToken, wire.StatusDenied},
		"deploy with data's": {"one", wire.RoleDeploy, dataToken, wire.StatusDenied},
		"no token":           {"one", wire.RoleData, nil, wire.StatusDenied},
		"unknown tenant":     {"none", wire.RoleData, dataToken, wire.StatusDenied},
		"without tokens":     {"bare", wire.RoleDeploy, nil, wire.StatusOK},
		// No deploy token leaves deploying to those who know the data token: it must
		// not open the data, which a session of either role reads, to everybody.
		"deploy without its token":      {"shared", wire.RoleDeploy, nil, wire.StatusDenied},
		"deploy by the data token":      {"shared", wire.RoleDeploy, dataToken, wire.StatusOK},
		"data of a tenant with but one": {"shared", wire.RoleData, dataToken, wire.StatusOK},
	} {
		c, st := r.tryHello(path{}, x.tenant, x.role, x.token)
		if st != x.want || (c != nil) != (st == wire.StatusOK) {
			t.Errorf("%s: %v, want %v", name, st, x.want)
		}
	}
}

// TestCookie: a cookie is good for the address and port that it was made for,
// in its epoch and the next.
func TestCookie(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, nil, l)
	_, ops := parseReply(t, path{}.open(t, r.process(path{}.frame(t, hello1()))[0]))
	cookie := append([]byte(nil), ops[0].Value()...)
	try := func(a path, cookie []byte) wire.Status {
		out := r.process(a.frame(t, hello2(cookie, [2]uint64{}, 0, "one", dataToken)))[0]
		h := wire.MakeHeader(out[etherHeader+28:])
		return h.Status()
	}
	if st := try(path{}, cookie); st != wire.StatusOK {
		t.Fatal(st)
	}
	if st := try(path{srcPort: 7}, cookie); st != wire.StatusNoSession {
		t.Errorf("from another port: %v", st)
	}
	if st := try(path{src: netip.MustParseAddr("10.0.0.7")}, cookie); st != wire.StatusNoSession {
		t.Errorf("from another address: %v", st)
	}
	for i := range cookie {
		cookie[i] ^= 1
		if st := try(path{}, cookie); st != wire.StatusNoSession {
			t.Errorf("with byte %d changed: %v", i, st)
		}
		cookie[i] ^= 1
	}
	r.advance(60_000)
	if st := try(path{}, cookie); st != wire.StatusOK {
		t.Errorf("an epoch later: %v", st)
	}
	r.advance(60_000)
	if st := try(path{}, cookie); st != wire.StatusNoSession {
		t.Errorf("two epochs later: %v", st)
	}
}

// TestHelloRates: one source runs into its limit, another does not.
func TestHelloRates(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, func(c *Config) {
		c.Limits.Hello1Burst, c.Limits.Hello1PerSecond = 40, 10
		c.Limits.FailedHello2Burst, c.Limits.FailedHello2PerSecond = 5, 1
	}, l)
	good, bad := path{src: netip.MustParseAddr("10.0.0.20")}, path{}
	for i := range 5 {
		if _, st := r.tryHello(bad, "one", 0, []byte("guess")); st != wire.StatusDenied {
			t.Fatalf("guess %d: %v", i, st)
		}
	}
	if c, st := r.tryHello(bad, "one", 0, dataToken); c != nil || st != 0 {
		t.Fatalf("after too many guesses: %v", st)
	}
	r.hello(good, l, 0, dataToken)
	r.advance(2000)
	r.hello(bad, l, 0, dataToken)
	n := 0
	for range 100 {
		if r.process(bad.frame(t, hello1()))[0] != nil {
			n++
		}
	}
	if n == 0 || n > 60 || r.p.n.Drops[DropHelloRate] == 0 {
		t.Fatalf("%d of 100 HELLO1s at once answered", n)
	}
	r.hello(good, l, 0, dataToken)
	// The table does not grow: sources share buckets.
	for i := range 100_000 {
		r.p.hello1.allow([2]uint64{0, uint64(i) << 32}, r.p.millis())
	}
	if len(r.p.hello1.buckets) != 8192 {
		t.Fatal("the table grew")
	}
}

// TestSessionTable: idle sessions make room for new ones, live ones do not.
func TestSessionTable(t *testing.T) {
	l := newLocal(t, 1, "one")
	r := newRig(t, func(c *Config) {
		c.Limits.Sessions = 8
		c.Limits.SessionMinIdleSeconds = 10
		c.Limits.SessionIdleSeconds = 100
	}, l)
	var cs []*client
	for i := range 8 {
		cs = append(cs, r.hello(path{srcPort: uint16(100 + i)}, l, 0, dataToken))
	}
	if _, st := r.tryHello(path{}, "one", 0, dataToken); st != wire.StatusUnavailable {
		t.Fatalf("a ninth session: %v", st)
	}
	r.advance(11_000)
	for i, c := range cs {
		if i != 3 {
			c.one(opPing(""))
		}
	}
	nine := r.hello(path{}, l, 0, dataToken)
	if h, _ := cs[3].send(0, opPing("")); h.Status() != wire.StatusNoSession {
		t.Fatalf("the idle session still answers: %v", h.Status())
	}
	if nine.id == cs[3].id || sessionSlot(nine.id) != sessionSlot(cs[3].id) {
		t.Fatalf("session %x followed %x", nine.id, cs[3].id)
	}
	for i, c := range cs {
		if i != 3 {
			c.one(opPing(""))
		}
	}
	r.advance(101_000)
	nine.one(opPing(""))
	for range 10 {
		r.p.Housekeep(r.now)
	}
	if r.p.n.Sessions != 1 || r.p.n.SessionsEvicted != 8 {
		t.Fatalf("%d sessions, %d evicted", r.p.n.Sessions, r.p.n.SessionsEvicted)
	}
	nine.one(opPing(""))
}

func TestSessionsPerTenant(t *testing.T) {
	l, other := newLocal(t, 1, "one"), newLocal(t, 2, "two")
	r := newRig(t, func(c *Config) { c.Limits.SessionsPerTenant = 2 }, l, other)
	r.hello(path{}, l, 0, dataToken)
	r.hello(path{}, l, 0, dataToken)
	if _, st := r.tryHello(path{}, "one", 0, dataToken); st != wire.StatusUnavailable {
		t.Fatal(st)
	}
	r.hello(path{}, other, 0, dataToken)
}

// TestSessionsOfShortClients: clients that each open a session and leave do not
// lock their tenant out for as long as a session may be idle.
func TestSessionsOfShortClients(t *testing.T) {
	l, other := newLocal(t, 1, "one"), newLocal(t, 2, "two")
	r := newRig(t, func(c *Config) { c.Limits.SessionsPerTenant, c.Limits.SessionMinIdleSeconds = 20, 10 }, l, other)
	quiet := r.hello(path{}, other, 0, dataToken)
	for range 20 {
		r.hello(path{}, l, 0, dataToken)
	}
	r.advance(11_000)
	for i := range 20 {
		if _, st := r.tryHello(path{}, "one", 0, dataToken); st != wire.StatusOK {
			t.Fatalf("session %d: %v", i, st)
		}
	}
	if _, st := r.tryHello(path{}, "one", 0, dataToken); st != wire.StatusUnavailable {
		t.Fatalf("more live sessions than the tenant may have: %v", st)
	}
	must(t, quiet.one(opPing("")), wire.StatusOK) // another tenant's session stays
	if n := r.p.n.Sessions; n != 21 {
		t.Fatalf("%d sessions", n)
	}
}

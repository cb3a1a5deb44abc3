package resp

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"shredder/internal/resp/proto"
)

func TestSession(t *testing.T) {
	p := newRig(t, nil).dial()
	p.wants(
		"PING", "+PONG",
		"ping hello", `"hello"`,
		"PING a b", "-ERR wrong number of arguments for 'ping' command",
		"ECHO x", `"x"`,
		"ECHO", "-ERR wrong number of arguments for 'echo' command",
		"SELECT 0", "+OK",
		"SELECT 1", "-ERR DB index is out of range",
		"SELECT x", "-ERR value is not an integer or out of range",
		"SET k v", "+OK",
		"GET k", `"v"`,
		"GET none", "nil",
		"GET", "-ERR wrong number of arguments for 'get' command",
		"NOSUCH a b", "-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' ",
		"CLIENT NOSUCH", "-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.",
		"CLIENT TRACKING ON", "-ERR unknown subcommand 'TRACKING'. Try CLIENT HELP.",
		"CLIENT SETNAME me", "+OK",
		"CLIENT GETNAME", `"me"`,
		"CLIENT SETNAME 'a b'", "-ERR Client names cannot contain spaces, newlines or special characters.",
		"CLIENT SETINFO LIB-NAME lib", "+OK",
		"CLIENT SETINFO LIB-NONE x", "-ERR Unrecognized option 'LIB-NONE'",
		"CLIENT NO-EVICT on", "+OK",
		"CLIENT ID x", "-ERR wrong number of arguments for 'client|id' command",
		"CONFIG GET save", `["save" ""]`,
		"CONFIG GET append*ly", `["appendonly" "no"]`,
		"CONFIG GET nosuch", "[]",
		"COMMAND GETKEYS GET k", `["k"]`,
		"COMMAND GETKEYS PING", "-ERR The command has no key arguments",
		"COMMAND GETKEYS FCALL f 2 a b c", `["a" "b"]`,
		"COMMAND INFO nosuch", "[nil*]",
		"UNWATCH", "+OK",
		"AUTH x", "-"+textNoPassword,
		"AUTH a b c", "-ERR syntax error",
		"HELLO 4", "-NOPROTO unsupported protocol version",
		"HELLO x", "-ERR Protocol version is not an integer or out of range",
		"HELLO 3 NO", "-ERR Syntax error in HELLO option 'NO'",
	)
	if s := p.do("HELLO 3"); !strings.HasPrefix(s, `{"server" "redis" "version" "7.`) || !strings.Contains(s, `"proto" :3`) {
		t.Error(s)
	}
	p.wants("GET none", "nil", "CONFIG GET save", `{"save" ""}`)
	for _, what := range []string{"INFO", "INFO everything", "INFO server persistence"} {
		if s := p.do(what); !strings.Contains(s, `loading:0\r\n`) || !strings.Contains(s, `redis_version:7.`) {
			t.Errorf("%s: %s", what, s)
		}
	}
	if s := p.do("CLIENT LIST"); !strings.Contains(s, "name=me") || !strings.Contains(s, "user=open") || !strings.Contains(s, "lib-name=lib") {
		t.Error(s)
	}
	if s := p.do("COMMAND DOCS get"); !strings.HasPrefix(s, `{"get" {`) {
		t.Error(s)
	}
	if s := p.do("COMMAND"); !strings.Contains(s, `"get"`) {
		t.Error(cut(s))
	}
	p.wants("RESET", "+RESET", "CLIENT GETNAME", "nil", "QUIT", "+OK")
	p.closed()
}

func TestAuth(t *testing.T) {
	r := newRig(t, func(c *Config) { c.DefaultTenant = "" })
	p := r.dial()
	p.wants(
		"PING", "-NOAUTH Authentication required.",
		"GET k", "-NOAUTH Authentication required.",
		"NOSUCH", "-ERR unknown command 'NOSUCH', with args beginning with: ",
		"HELLO", "-"+textHelloNoAuth,
		"AUTH data", "-"+textWrongPass,
		"AUTH closed wrong", "-"+textWrongPass,
		"AUTH none data", "-"+textWrongPass,
		"AUTH closed data", "+OK",
		"SET k v", "+OK",
		"FUNCTION FLUSH", "-"+textNoDeploy,
		"AUTH closed deploy", "+OK",
		"FUNCTION FLUSH", "+OK",
		"GET k", `"v"`,
		"AUTH open anything", "+OK",
		"GET k", "nil",
		"RESET", "+RESET",
		"GET k", "-NOAUTH Authentication required.",
	)
	if s := p.do("HELLO 3 AUTH closed data SETNAME me"); !strings.HasPrefix(s, "{") {
		t.Error(s)
	}
	p.wants("CLIENT GETNAME", `"me"`, "GET k", `"v"`)

	guesser := r.dial()
	for range maxLogins {
		guesser.wants("AUTH closed guess", "-"+textWrongPass)
	}
	guesser.closed()
	for _, killer := range []string{
		request(make([]string, proto.UnauthenticatedArgs+1)...), "*1000000\r\n", "*1\r\n$20000\r\n", "*2\r\n$4\r\nAUTH\r\n$99999999\r\n",
	} {
		p := r.dial()
		p.send(killer)
		if s, err := p.tryRead(); err != nil || !strings.HasPrefix(s, "-ERR Protocol error") {
			t.Errorf("%q: %s, %v", cut(killer), s, err)
		}
		p.closed()
	}
}

// TestSplit: a pipeline is answered the same wherever its bytes are divided.
func TestSplit(t *testing.T) {
	p := newRig(t, nil).dial()
	p.nc.(*net.TCPConn).SetNoDelay(true)
	text := request("SET", "a", "1") + request("GET", "a") + "PING\r\n" + request("NOSUCH", "x") + request("INCR", "a") +
		request("JS", "add", "2", "3") + request("ECHO", "") + request("MULTI") + request("GET", "a") + request("EXEC")
	want := []string{"+OK", `"1"`, "+PONG", "-ERR unknown command 'NOSUCH', with args beginning with: 'x' ", ":2", ":5", `""`, "+OK", "+QUEUED", `["2"]`}
	for at := range len(text) {
		p.send(text[:at])
		if at%7 == 0 {
			time.Sleep(50 * time.Microsecond) // sometimes the halves arrive together
		}
		p.send(text[at:])
		for i, w := range want {
			if got := p.read(); got != w {
				t.Fatalf("cut at %d, reply %d: %s, want %s", at, i, got, w)
			}
		}
	}
}

// TestCut: a client may go at any byte; nothing of it stays.
func TestCut(t *testing.T) {
	r := newRig(t, nil)
	text := request("SET", "a", "1") + request("JS", "busy", "3000") + request("MULTI") + request("GET", "a") + request("EXEC") + request("MONITOR") + request("GET", "a")
	before := runtime.NumGoroutine()
	for at := range len(text) {
		p := r.dial()
		p.send(text[:at])
		if at%3 == 0 {
			p.nc.(*net.TCPConn).SetLinger(0) // a reset instead of an end
		}
		p.nc.Close()
	}
	wait(t, func() bool { // coroutines are kept for the next call
		n := r.plane.Processor(0).Counters()
		return r.conns() == 0 && runtime.NumGoroutine() <= before+int(n.Coroutines) && n.Tasks == 0
	})
}

func (r *rig) conns() int {
	n := 0
	r.server.each(func(*conn) { n++ })
	return n
}

// wait waits for something that must come.
func wait(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("it does not come")
		}
		time.Sleep(time.Millisecond)
	}
}

// TestPipelines: many connections at once, each of whose pipelines stays in order.
func TestPipelines(t *testing.T) {
	r := newRig(t, nil)
	var all sync.WaitGroup
	for id := range 16 {
		p := r.dial()
		all.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(id)))
			sum := 0
			for range 30 {
				var text strings.Builder
				var want []string
				for range 1 + rng.IntN(200) {
					switch rng.IntN(8) {
					case 0:
						text.WriteString("PING\r\n")
						want = append(want, "+PONG")
					case 1:
						text.WriteString(request("JS", "add", fmt.Sprint(sum), "1"))
						want = append(want, fmt.Sprint(":", sum+1))
					case 2, 3, 4:
						sum++
						text.WriteString(request("INCR", fmt.Sprint("n", id)))
						want = append(want, fmt.Sprint(":", sum))
					default:
						text.WriteString(request("GET", fmt.Sprint("n", id)))
						got := fmt.Sprintf("%q", fmt.Sprint(sum))
						if sum == 0 {
							got = "nil"
						}
						want = append(want, got)
					}
				}
				p.nc.Write([]byte(text.String()))
				for i, w := range want {
					if got, err := p.tryRead(); got != w || err != nil {
						t.Errorf("connection %d, reply %d: %s %v, want %s", id, i, got, err, w)
						return
					}
				}
			}
		})
	}
	all.Wait()
}

func TestMaxClients(t *testing.T) {
	r := newRig(t, func(c *Config) { c.MaxClients = 2 })
	a, b := r.dial(), r.dial()
	a.wants("PING", "+PONG")
	b.wants("PING", "+PONG")
	if s := r.dial().read(); s != "-ERR max number of clients reached" {
		t.Error(s)
	}
	a.nc.Close()
	wait(t, func() bool { return r.conns() == 1 })
	r.dial().wants("PING", "+PONG")
}

// TestTimeouts: quiet, anonymous and slow connections are cut.
func TestTimeouts(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.IdleTimeout, c.LoginTimeout, c.WriteTimeout = 600*time.Millisecond, 300*time.Millisecond, 300*time.Millisecond
	})
	idle := r.dial()
	idle.wants("PING", "+PONG")
	idle.closed()
	anonymous := r.dial()
	anonymous.wants("AUTH closed data", "+OK")
	anonymous.nc.Close()

	slow := r.dial()
	slow.wants("SET big "+strings.Repeat("x", 60_000), "+OK")
	slow.nc.(*net.TCPConn).SetReadBuffer(4096)
	get := request("GET", "big")
	go func() {
		for range 2000 { // and reads nothing
			if _, err := slow.nc.Write([]byte(get)); err != nil {
				return
			}
		}
	}()
	wait(t, func() bool { return r.conns() == 0 })

	r = newRig(t, func(c *Config) { c.DefaultTenant, c.LoginTimeout = "", 300*time.Millisecond })
	r.dial().closed()
}

// TestClose: a server that ends answers what it has received.
func TestClose(t *testing.T) {
	r := newRig(t, nil)
	p := r.dial()
	p.wants("PING", "+PONG")
	p.send(request("JS", "busy", "60000") + request("GET", "none"))
	wait(t, func() bool { return r.plane.Processor(0).Counters().Tasks > 0 || p.r.Buffered() > 0 })
	r.close()
	if got := p.read(); got != ":1799970000" {
		t.Error(got)
	}
	if got := p.read(); got != "nil" {
		t.Error(got)
	}
	p.closed()
}

func TestClientKill(t *testing.T) {
	r := newRig(t, nil)
	a, b, other := r.dial(), r.dial(), r.dial()
	a.wants("PING", "+PONG", "CLIENT KILL 1.2.3.4:5", "-ERR No such client", "CLIENT KILL ID x", "-ERR client-id should be greater than 0")
	other.wants("AUTH closed data", "+OK")
	id := strings.TrimPrefix(b.do("CLIENT ID"), ":")
	a.wants("CLIENT KILL ID "+id, ":1")
	b.closed()
	a.wants("CLIENT KILL TYPE normal", ":0") // another tenant's are out of reach, its own is skipped
	other.wants("PING", "+PONG")
	a.wants("CLIENT KILL TYPE normal SKIPME no", ":1")
	a.closed()
}

func TestMonitor(t *testing.T) {
	r := newRig(t, nil)
	m, a, other := r.dial(), r.dial(), r.dial()
	other.wants("AUTH closed data", "+OK")
	m.wants("MONITOR", "+OK")
	a.wants("SET k 'a\x00b'", "+OK")
	other.wants("SET secret x", "+OK")
	a.wants("GET k", `"a\x00b"`)
	if s := m.read(); !strings.HasSuffix(s, `] "SET" "k" "a\x00b"`) {
		t.Error(s)
	}
	if s := m.read(); !strings.HasSuffix(s, `] "GET" "k"`) {
		t.Error(s)
	}
	m.wants("RESET", "+RESET", "PING", "+PONG")
	a.wants("PING", "+PONG")
}

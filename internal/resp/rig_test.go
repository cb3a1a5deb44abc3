package resp

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"shredder/dataplane"
	"shredder/dataplane/nic/mem"
	"shredder/jit"
	"shredder/pktproc"
	"shredder/store/arena"
	"shredder/tenants"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// library is what the tests call.
const library = `
export function add(a, b) { return a + b; }
export function typesOf(...all) { return all.map(x => typeof x); }
export function loop() { for (;;) {} }
export function busy(n) { let x = 0; for (let i = 0; i < n; i++) x += i; return x; }
export function put(k, v) { store.set(k, v); return store.text(k); }
export function value(kind) {
  switch (kind) {
  case "null": return null;
  case "true": return true;
  case "double": return 1.5;
  case "string": return "s";
  case "bytes": return new Uint8Array([0, 255]);
  case "json": return { a: [1, 2.5, "x", null, true], b: {} };
  case "big": return "x".repeat(200000);
  case "list": return Array.from({ length: 1000 }, (_, i) => "item" + i);
  }
}
export function fail() { throw new Error("no\nluck"); }
`

// rig is a server with a plane and tenants: "open", which needs no token, and
// "closed" with the tokens "data" and "deploy".
type rig struct {
	t        *testing.T
	plane    *dataplane.Plane
	registry *tenants.Registry
	server   *Server
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t}
	budget := arena.NewBudget(1 << 30)
	wire := mem.NewWire(mem.Config{Queues: 1, BasePort: 9000})
	r.registry = tenants.NewRegistry(tenants.Config{Lcores: 1, Budget: budget, Loader: tenants.Interpreter{},
		Post: func(lcore int, ev tenants.Event) { r.plane.Post(lcore, ev) }, Logger: zerolog.Nop()})
	var err error
	cfg := dataplane.Config{Idle: dataplane.Adaptive, Processor: pktproc.Config{BasePort: 9000, Registry: r.registry}}
	cfg.Queues = append(cfg.Queues, wire.Queue(0))
	if r.plane, err = dataplane.New(cfg); err != nil {
		t.Fatal(err)
	}
	limits := jit.DevelopmentLimits()
	limits.DeadlineMillis = 60_000 // the race detector makes calls long
	for _, spec := range []tenants.Spec{
		{Name: "open", Trust: tenants.TrustTrusted, NoToken: true, NoDeployToken: true, Quota: 64 << 20, Limits: limits,
			Libraries: []tenants.Source{{Name: "lib", Text: []byte(library)}}},
		{Name: "closed", Trust: tenants.TrustTrusted, DataToken: []byte("data"), DeployToken: []byte("deploy"), Quota: 8 << 20, Limits: limits},
	} {
		if _, err := r.registry.Create(spec); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.plane.Start(); err != nil {
		t.Fatal(err)
	}
	c := Config{Address: "127.0.0.1:0", Registry: r.registry, Plane: r.plane, DefaultTenant: "open", Logger: zerolog.Nop()}
	if change != nil {
		change(&c)
	}
	if r.server, err = Start(c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

func (r *rig) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.server.Close(ctx); err != nil {
		r.t.Error(err)
	}
	if err := r.plane.Close(ctx); err != nil {
		r.t.Error(err)
	}
	if err := r.registry.Close(ctx); err != nil {
		r.t.Error(err)
	}
}

// peer is a client that sees bytes.
type peer struct {
	t  *testing.T
	nc net.Conn
	r  *bufio.Reader
}

func (r *rig) dial() *peer {
	r.t.Helper()
	nc, err := net.Dial("tcp", r.server.Endpoint())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(60 * time.Second))
	return &peer{r.t, nc, bufio.NewReader(nc)}
}

// request is a command as clients send it.
func request(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

// words splits a line at spaces, but keeps '…' together.
func words(line string) (all []string) {
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimLeft(line, " ") {
		if line[0] == '\'' {
			end := strings.IndexByte(line[1:], '\'')
			all, line = append(all, line[1:1+end]), line[2+end:]
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		all, line = append(all, word), rest
	}
	return all
}

func (p *peer) send(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.nc, text); err != nil {
		p.t.Fatal(err)
	}
}

// do sends a command and returns its reply in short form: see read.
func (p *peer) do(line string) string {
	p.t.Helper()
	p.send(request(words(line)...))
	return p.read()
}

// read reads one reply: simple strings, errors, numbers, booleans and doubles with
// their mark, bulk strings in quotes, null as "nil", arrays in [], maps in {}.
func (p *peer) read() string {
	p.t.Helper()
	s, err := p.tryRead()
	if err != nil {
		p.t.Fatalf("no reply: %v", err)
	}
	return s
}

func (p *peer) tryRead() (string, error) {
	line, err := p.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	if !strings.HasSuffix(line, "\r\n") {
		return "", fmt.Errorf("line %q", line)
	}
	line = line[:len(line)-2]
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '+', '-', ':', '#', ',':
		return line, nil
	case '_':
		return "nil", nil
	case '$', '=':
		if n < 0 {
			return "nil", nil
		}
		b := make([]byte, n+2)
		if _, err := io.ReadFull(p.r, b); err != nil {
			return "", err
		}
		return strconv.Quote(string(b[:n])), nil
	case '*', '~', '%', '>':
		if n < 0 {
			return "nil*", nil
		}
		open, end := "[", "]"
		if line[0] == '%' {
			open, end, n = "{", "}", 2*n
		}
		var items []string
		for range n {
			item, err := p.tryRead()
			if err != nil {
				return "", err
			}
			items = append(items, item)
		}
		return open + strings.Join(items, " ") + end, nil
	}
	return "", fmt.Errorf("reply %q", line)
}

// wants sends commands and compares the replies.
func (p *peer) wants(lines ...string) {
	p.t.Helper()
	for i := 0; i < len(lines); i += 2 {
		if got := p.do(lines[i]); got != lines[i+1] {
			p.t.Errorf("%s: %s, want %s", lines[i], cut(got), cut(lines[i+1]))
		}
	}
}

func cut(s string) string {
	if len(s) > 300 {
		return s[:300] + "…"
	}
	return s
}

// closed expects the server to have ended the connection.
func (p *peer) closed() {
	p.t.Helper()
	if s, err := p.tryRead(); err == nil {
		p.t.Errorf("%s instead of the connection's end", cut(s))
	} else if ne, ok := err.(net.Error); ok && ne.Timeout() {
		p.t.Error("the connection stays open")
	}
}

// bulk reads a bulk string as it is.
func (p *peer) bulk() string {
	p.t.Helper()
	s, err := strconv.Unquote(p.read())
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

package control

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"shredder/store/arena"
	"shredder/tenants"
)

// inline handles an lcore's events on the caller's thread, as a plane does that has closed.
func inline(_ int, ev tenants.Event) {
	switch ev.Kind {
	case tenants.EventVersion:
		ev.Local.Engine.Activate(ev.Version, ev.Runtime)
	case tenants.EventVisit:
		ev.Visit(ev.Local)
	}
	ev.Ack()
}

// api is a running server and a client of its socket.
type api struct {
	t      *testing.T
	server *Server
	client *http.Client
	socket string
	made   *tenants.Registry
}

func newAPI(t *testing.T) *api {
	t.Helper()
	r := tenants.NewRegistry(tenants.Config{Lcores: 1, Budget: arena.NewBudget(8 << 20), Post: inline, Loader: tenants.Interpreter{}})
	a := &api{t: t, made: r, socket: filepath.Join(t.TempDir(), "s")}
	var err error
	a.server, err = Start(Config{Address: "127.0.0.1:0", Socket: a.socket, Registry: r,
		Metrics: http.NotFoundHandler(), Logger: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", a.socket)
	}
	a.client = &http.Client{Transport: &http.Transport{DialContext: dial}}
	t.Cleanup(func() {
		a.client.CloseIdleConnections()
		if err := a.server.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := r.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(a.socket); !os.IsNotExist(err) {
			t.Errorf("the socket is left: %v", err)
		}
	})
	return a
}

// ask makes a request and checks the answer's code and a part of it.
func (a *api) ask(method, path, body string, code int, part string) map[string]any {
	a.t.Helper()
	req, err := http.NewRequest(method, "http://admin"+path, bytes.NewBufferString(body))
	if err != nil {
		a.t.Fatal(err)
	}
	resp, err := a.client.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if resp.StatusCode != code || !strings.Contains(string(text), part) {
		a.t.Errorf("%s %s: %d %s, want %d with %q", method, path, resp.StatusCode, text, code, part)
	}
	var answer map[string]any
	json.Unmarshal(text, &answer) // plain text for health
	return answer
}

func TestTenants(t *testing.T) {
	a := newAPI(t)
	a.ask("GET", "/readyz", "", 503, "not ready")
	a.server.SetReady(true)
	a.ask("GET", "/readyz", "", 200, "ready")
	a.ask("POST", "/tenants", `{"name": "t", "no-token": true, "no-deploy-token": true, "quota": "1MiB", "id": 4294967295}`, 201, `"id":4294967295`)
	a.ask("POST", "/tenants", `{"name": "t", "no-token": true, "no-deploy-token": true, "quota": "1MiB"}`, 409, "already")
	a.ask("POST", "/tenants", `{"name": "u", "no-token": true, "no-deploy-token": true, "quota": 16777216}`, 507, "8388608 bytes in all")
	a.ask("POST", "/tenants", `{"nme": "u"}`, 400, `did you mean \"name\"`)
	a.ask("POST", "/tenants", `{"name": `, 400, "unexpected EOF")
	list := a.ask("GET", "/tenants", "", 200, `"name":"t"`)
	if n := len(list["tenants"].([]any)); n != 1 {
		t.Errorf("%d tenants", n)
	}
	if a.server.Endpoint() == "none" {
		t.Error("no endpoint")
	}
	a.ask("DELETE", "/tenants/t", "", 200, "t")
	a.ask("DELETE", "/tenants/t", "", 404, "no such tenant")
	a.ask("PUT", "/tenants", "", 405, "")
}

func TestVersions(t *testing.T) {
	a := newAPI(t)
	a.ask("POST", "/tenants", `{"name": "t", "no-token": true, "no-deploy-token": true, "quota": "1MiB"}`, 201, "")
	hash := func(n int) string {
		answer := a.ask("POST", "/tenants/t/versions?library=lib", fmt.Sprintf("export function f() { return %d }", n), 201, `"functions":["f"]`)
		return answer["hash"].(string)
	}
	first, second := hash(1), hash(2)
	a.ask("POST", "/tenants/t/versions", "export function f() {\n  return 1 +;\n}", 422, `"line":2`)
	a.ask("POST", "/tenants/t/versions/"+first+"/activate", "", 200, first)
	a.ask("DELETE", "/tenants/t/versions/"+first, "", 409, "is active")
	a.ask("POST", "/tenants/t/rollback", "", 200, second)
	a.ask("DELETE", "/tenants/t/versions/"+first, "", 200, first)
	a.ask("POST", "/tenants/t/versions/"+first+"/activate", "", 404, "no such version")
	a.ask("POST", "/tenants/t/versions/xyz/activate", "", 400, "64 hexadecimal")
	versions := a.ask("GET", "/tenants/t/versions", "", 200, `"active":true`)
	if n := len(versions["versions"].([]any)); n != 1 {
		t.Errorf("%d versions", n)
	}
	a.ask("GET", "/tenants/none/versions", "", 404, "")
}

func TestLogs(t *testing.T) {
	a := newAPI(t)
	l, err := a.made.Create(tenants.Spec{Name: "t", NoToken: true, NoDeployToken: true, Quota: 1 << 20, Home: -1, Trust: tenants.TrustTrusted})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		l.Log.Append(int64(i), 1, fmt.Appendf(nil, "line %d", i))
	}
	a.ask("GET", "/tenants/t/logs", "", 200, `"next":6`)
	a.ask("GET", "/tenants/t/logs?from=3&limit=2", "", 200, `{"next":5,"records":[{"seq":3,"unix_ms":2,"level":1,"text":"line 2"},{"seq":4,`)
	a.ask("GET", "/tenants/t/logs?from=x", "", 400, "invalid syntax")
}

func TestSocket(t *testing.T) {
	a := newAPI(t)
	info, err := os.Stat(a.socket)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: want only the owner", info.Mode(), err)
	}
	if _, err := Start(Config{Socket: a.socket, Registry: a.made, Metrics: http.NotFoundHandler()}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second server on one socket: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Config{Socket: file, Registry: a.made, Metrics: http.NotFoundHandler()}); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("a file in the socket's place: %v", err)
	}
	stale := filepath.Join(t.TempDir(), "stale")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	s, err := Start(Config{Socket: stale, Registry: a.made, Metrics: http.NotFoundHandler()})
	if err != nil {
		t.Fatalf("over a socket that nobody listens on: %v", err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
}

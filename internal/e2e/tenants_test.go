package e2e

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"shredder/client"
	"shredder/jit"
	"shredder/pktproc/wire"
	"shredder/tenants"
)

type limits = jit.Limits

func testRoles(t *testing.T, r run) {
	spec := open("tokens")
	spec.NoToken, spec.NoDeployToken = false, false
	spec.DataToken, spec.DeployToken = []byte("data token"), []byte("deploy token")
	name := r.tenant(t, spec, string(answer(1)))
	addr, ctx := r.addr(r.host, 0), t.Context()
	data := dial(t, addr, client.Options{Tenant: name, Token: spec.DataToken})
	deploy := dial(t, addr, client.Options{Tenant: name, Token: spec.DeployToken, Role: client.Deploy})
	must[uint64](t)(data.Set(ctx, client.Int(1), []byte("v")))
	must[client.Entry](t)(deploy.Get(ctx, client.Int(1)))
	must[client.Value](t)(data.Call(ctx, "answer"))
	_, err := data.Deploy(ctx, "lib", answer(2), true)
	wantError(t, err, client.ErrDenied)
	wantError(t, data.Rollback(ctx), client.ErrDenied)
	must[[]client.Version](t)(data.Versions(ctx))
	must[string](t)(deploy.Deploy(ctx, "lib", answer(2), true))
	for _, o := range []client.Options{
		{Tenant: name},
		{Tenant: name, Token: []byte("data tokem")},
		{Tenant: name, Token: spec.DeployToken},
		{Tenant: name, Token: spec.DataToken, Role: client.Deploy},
		{Tenant: "nobody", Token: spec.DataToken},
		{Tenant: "nobody"},
	} {
		o.Timeout = patience
		c, err := client.Dial(ctx, addr, o)
		if err == nil {
			c.Close()
		}
		wantError(t, err, client.ErrDenied)
	}
	// A tenant that is open for data may still guard its functions.
	spec = open("half")
	spec.NoDeployToken, spec.DeployToken = false, []byte("d")
	name = r.tenant(t, spec, "")
	half := r.dial(t, name)
	_, err = half.Deploy(ctx, "lib", answer(1), true)
	wantError(t, err, client.ErrDenied)
}

// testDeleteTenant deletes a tenant under its clients: what is running ends, and
// nobody hangs.
func testDeleteTenant(t *testing.T, r run) {
	spec := open("gone")
	spec.Limits = roomy()
	ctx := t.Context()
	spec.Name, spec.Libraries = "short-lived", []tenants.Source{{Name: "l", Text: []byte(library)}}
	local := r.create(t, spec)
	c, running := r.dial(t, local.Name), r.dial(t, local.Name)
	spinning := make(chan error, 1)
	go func() { _, err := running.Call(ctx, "spin", "k"); spinning <- err }()
	var wait sync.WaitGroup
	ends := make(chan error, 8)
	started := make(chan struct{}, 8)
	for range cap(ends) {
		wait.Go(func() {
			for i := 0; ; i++ {
				_, err := c.Get(ctx, client.Int(1))
				if i == 0 {
					started <- struct{}{}
				}
				if err != nil && !errors.Is(err, client.ErrNotFound) {
					ends <- err
					return
				}
			}
		})
	}
	for range cap(started) {
		<-started
	}
	deleting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := r.registry.Delete(deleting, local.Name); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	close(ends)
	for err := range ends {
		if !errors.Is(err, client.ErrDenied) && !errors.Is(err, client.ErrNoTenant) && !errors.Is(err, client.ErrUnavailable) {
			t.Errorf("a read ended with %v", err)
		}
	}
	if err := <-spinning; err == nil {
		t.Error("a call outlived its tenant")
	}
	r.create(t, spec)
	_, err := c.Get(ctx, client.Int(1)) // says HELLO again, to the new tenant
	wantError(t, err, client.ErrNotFound)
	if err := r.registry.Delete(deleting, local.Name); err != nil {
		t.Error(err)
	}
}

// testHome: a tenant may live on any lcore, and a client come to any port. The
// first requests are handed over; the replies' port moves the client.
func testHome(t *testing.T, r run) {
	ctx := t.Context()
	for home := range r.lcores {
		for port := range r.lcores {
			spec := open("home")
			spec.Home = home
			name := r.tenant(t, spec, library)
			c := dial(t, r.addr(r.host, port), client.Options{Tenant: name})
			must[uint64](t)(c.Set(ctx, client.Int(1), []byte("here")))
			must[client.Value](t)(c.Call(ctx, "bump", "n"))
			if home == port {
				continue
			}
			if err := wrongPort(t, r, name, port, home); err != nil {
				t.Errorf("home %d, port %d: %v", home, port, err)
			}
		}
	}
}

// wrongPort speaks to a port by hand, so that no client moves away, and expects
// replies of the home's port that come from the port asked.
func wrongPort(t *testing.T, r run, name string, port, home int) error {
	conn, err := net.Dial("udp", r.addr(r.host, port)) // connected: takes replies of that port only
	if err != nil {
		return err
	}
	defer conn.Close()
	h := handClient{t: t, conn: conn}
	h.hello(name)
	reply := h.ask(0, func(w *wire.Writer) {
		w.Begin(wire.OpGet, 0, 0)
		w.IntKey(1)
		w.End()
	})
	header, ops, st := wire.Parse(reply)
	if op, _, ok := wire.FirstOp(ops); st != wire.StatusOK || !ok || string(op.Value()) != "here" {
		t.Errorf("a reply from the wrong port: %x", reply)
	}
	if want := r.port + uint16(home); header.Port() != want {
		t.Errorf("the reply names port %d, want %d", header.Port(), want)
	}
	return nil
}

package client_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"shredder/client"
	"shredder/client/clienttest"
	"shredder/pktproc/wire"
	"shredder/pktproc/wire/vectors"
)

// hooked is a client of a fake server that keeps each request's operations and
// answers with one of the vectors if it is told to.
type hooked struct {
	*client.Client
	vectors []vectors.Vector

	mu     sync.Mutex
	last   []byte // the last request
	answer []byte
}

func startHooked(t *testing.T) *hooked {
	t.Helper()
	h := &hooked{}
	var err error
	if h.vectors, _, err = vectors.Load("../pktproc/wire/testdata/vectors.txt"); err != nil {
		t.Fatal(err)
	}
	_, h.Client = start(t, clienttest.Config{Hook: func(request []byte) []byte {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.last = bytes.Clone(request)
		return bytes.Clone(h.answer)
	}}, client.Options{})
	return h
}

func (h *hooked) bytes(t *testing.T, name string) []byte {
	t.Helper()
	v := vectors.Find(h.vectors, name)
	if v == nil {
		t.Fatalf("no vector %q", name)
	}
	return v.Bytes
}

// TestVectorsSent compares the client's requests with the specification's.
func TestVectorsSent(t *testing.T) {
	h := startHooked(t)
	ctx := context.Background()
	name := client.Key("name")
	for vector, send := range map[string]func(){
		"ping":                      func() { _, _ = h.Ping(ctx) },
		"get an integer key":        func() { _, _ = h.Get(ctx, client.Key("7")) },
		"set":                       func() { _, _ = h.Set(ctx, name, []byte("ada")) },
		"set with a time to live":   func() { _, _ = h.Set(ctx, name, []byte("ada"), client.TTL(time.Minute)) },
		"set if absent":             func() { _, _ = h.Set(ctx, client.Int(0), nil, client.IfAbsent()) },
		"delete if unchanged":       func() { _, _ = h.Delete(ctx, name, client.IfVersion(8)) },
		"incr":                      func() { _, _ = h.Incr(ctx, client.Key("counter"), -5) },
		"cas":                       func() { _, _ = h.CompareAndSwap(ctx, name, []byte("ada"), []byte("grace")) },
		"ttl":                       func() { _, _, _ = h.TTL(ctx, name) },
		"ttl removed":               func() { _ = h.Persist(ctx, name) },
		"multi-get of 7 and name":   func() { _, _ = h.MultiGet(ctx, client.Int(7), name) },
		"scan":                      func() { _, _, _ = h.ScanPage(ctx, 0, 1024) },
		"try":                       func() { _, _ = h.Try(ctx, "f", nil) },
		"deploy and activate":       func() { _, _ = h.Deploy(ctx, "demo", []byte("source"), true) },
		"list":                      func() { _, _ = h.Versions(ctx) },
		"logs":                      func() { _, _, _ = h.LogPage(ctx, 0) },
		"kill whatever is executed": func() { _ = h.Kill(ctx, 0, 0) },
		"stats":                     func() { _, _ = h.Stats(ctx) },
		"call countFriends(0, 2)":   func() { _, _ = h.CallWith(ctx, client.CallOptions{Receipt: true}, "countFriends", 0, 2.0) },
		"two operations, atomic": func() {
			b := client.NewBatch().Atomic()
			b.Set(client.Int(1), []byte("a"))
			b.Delete(client.Int(2))
			_ = h.Do(ctx, b)
		},
	} {
		send()
		h.mu.Lock()
		got := h.last
		h.mu.Unlock()
		want := h.bytes(t, vector)
		if !bytes.Equal(got[wire.HeaderSize:], want[wire.HeaderSize:]) {
			t.Errorf("%s: sent\n%x\nwant\n%x", vector, got[wire.HeaderSize:], want[wire.HeaderSize:])
		}
		if g, w := wire.MakeHeader(got), wire.MakeHeader(want); vector != "try" && g.Flags() != w.Flags() || g.Port() != 0 || g.Status() != 0 {
			t.Errorf("%s: header %x", vector, []byte(g))
		}
	}
}

// TestVectorsReceived gives the specification's replies to the client.
func TestVectorsReceived(t *testing.T) {
	h := startHooked(t)
	ctx := context.Background()
	key := client.Int(7)
	check := func(vector string, f func() (got, want any)) {
		t.Helper()
		h.mu.Lock()
		h.answer = h.bytes(t, vector)
		h.mu.Unlock()
		if got, want := f(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, want %#v", vector, got, want)
		}
	}
	check("get reply", func() (any, any) {
		e, err := h.Get(ctx, key)
		return []any{e, err}, []any{client.Entry{Value: []byte("abc"), Version: 5}, error(nil)}
	})
	check("get reply with a receipt", func() (any, any) {
		e, err := h.Get(ctx, key)
		return []any{e, err}, []any{client.Entry{Value: []byte("abc"), Version: 5}, error(nil)}
	})
	check("get of nothing, reply", func() (any, any) {
		_, err := h.Get(ctx, key)
		return errors.Is(err, client.ErrNotFound), true
	})
	check("set conflict, reply", func() (any, any) {
		_, err := h.Set(ctx, key, nil, client.IfAbsent())
		return err, error(&client.ConflictError{Version: 8})
	})
	check("multi-get reply", func() (any, any) {
		found, err := h.MultiGet(ctx, key, client.Key("name"))
		return []any{err, len(found), string(found[0].Value), errors.Is(found[1].Err, client.ErrNotFound)}, []any{error(nil), 2, "abc", true}
	})
	check("call reply", func() (any, any) {
		result, err := h.CallWith(ctx, client.CallOptions{Receipt: true}, "countFriends", 0, 2)
		n, _ := result.Value.Int()
		return []any{err, n, *result.Receipt}, []any{error(nil), int64(4060), client.Receipt{Fuel: 1388, Lookups: 348, BytesRead: 17628, BytesReturned: 9}}
	})
	check("call that threw, reply", func() (any, any) {
		_, err := h.Call(ctx, "f")
		return err, error(&client.FunctionError{Message: "oops", Line: 12, Column: 5})
	})
	check("library that does not load, reply", func() (any, any) {
		_, err := h.Deploy(ctx, "l", nil, false)
		return err, error(&client.LibraryError{Message: "unexpected-token", Line: 3, Column: 7})
	})
	check("logs reply", func() (any, any) {
		records, next, err := h.LogPage(ctx, 0)
		return []any{records, next, err}, []any{[]client.LogRecord{{Seq: 1, Time: time.UnixMilli(1700000000000), Level: 1, Text: "hi"}}, uint64(2), error(nil)}
	})
	check("two operations, one of them failed, reply", func() (any, any) {
		b := client.NewBatch().Atomic()
		first, second := b.Set(key, nil), b.Delete(key)
		err := h.Do(ctx, b)
		return []any{err, errors.Is(first.Err, client.ErrAborted), errors.Is(second.Err, client.ErrNotFound)}, []any{error(nil), true, true}
	})
	// A reply to another operation, or a number of them, is no answer.
	check("call reply", func() (any, any) {
		_, err := h.Get(ctx, key)
		return err, client.ErrBadReply
	})
	check("two operations, one of them failed, reply", func() (any, any) {
		_, err := h.Set(ctx, key, nil)
		return err, client.ErrBadReply
	})
}

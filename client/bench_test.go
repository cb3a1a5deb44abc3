package client_test

import (
	"context"
	"testing"

	"shredder/client"
	"shredder/client/clienttest"
)

func BenchmarkGet(b *testing.B) {
	_, c := start(b, clienttest.Config{}, client.Options{})
	ctx := context.Background()
	if _, err := c.Set(ctx, client.Int(1), pattern(128)); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.GetAppend(ctx, client.Int(1), buf[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPing(b *testing.B) {
	_, c := start(b, clienttest.Config{}, client.Options{})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Ping(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

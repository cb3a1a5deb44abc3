package keyspace

import (
	"os"
	"strings"
	"testing"
	"time"

	"shredder/internal/resp/difftest"
	"shredder/internal/resp/proto"
	"shredder/store"
)

// direct runs commands on a shard, without a server in between.
type direct struct {
	db      DB
	version int
	w       proto.Writer
	pauses  int
}

func newDirect(t testing.TB, version int) *direct {
	t.Helper()
	s, err := store.Open(store.Config{Quota: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	d := &direct{db: DB{Shard: s}, version: version}
	d.db.Pause = func() bool { d.pauses++; return true }
	return d
}

func find(args []string) *Command {
	for _, c := range Commands() {
		if strings.EqualFold(c.Name, args[0]) && (len(args) == c.Arity || c.Arity < 0 && len(args) >= -c.Arity) {
			return c
		}
	}
	return nil
}

func (d *direct) Do(args ...string) []byte {
	var b [][]byte
	for _, a := range args {
		b = append(b, []byte(a))
	}
	d.w.Reset(nil, d.version)
	d.db.NowMillis = time.Now().UnixMilli()
	find(args).Run(&d.db, b, &d.w)
	return d.w.Bytes()
}

// TestAgainstRedis: 30,000 random commands, 10^6 with SOAK=1, answered as redis-server does.
func TestAgainstRedis(t *testing.T) {
	n := 30_000
	if testing.Short() {
		n = 10_000
	}
	if os.Getenv("SOAK") != "" {
		n = 1_000_000
	}
	for version := 2; version <= 3 && !t.Failed(); version++ {
		d := newDirect(t, version)
		difftest.Run(t, d, version, uint64(version), n/2, func(args []string) bool { return find(args) != nil })
		if d.pauses == 0 {
			t.Error("nothing paused")
		}
	}
}

package resp

import (
	"os"
	"testing"

	"shredder/internal/resp/difftest"
)

// TestAgainstRedis: random commands over TCP, wrong numbers of arguments among them, are
// answered as redis-server does.
func TestAgainstRedis(t *testing.T) {
	n := 4_000
	if os.Getenv("SOAK") != "" {
		n = 200_000
	}
	r := newRig(t, nil)
	for version := 2; version <= 3 && !t.Failed(); version++ {
		c := difftest.Dial(t, "tcp", r.server.Endpoint())
		c.Do("HELLO", string(rune('0'+version)))
		c.Do("FLUSHALL")
		difftest.Run(t, c, version, uint64(10+version), n/2, nil)
	}
}

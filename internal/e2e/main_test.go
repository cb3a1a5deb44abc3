package e2e

import (
	"os"
	"runtime"
	"testing"
)

// TestMain gives the clients processors of their own: an lcore that polls keeps
// its one, and a server with two would leave a machine of two none.
func TestMain(m *testing.M) {
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 4)
	code := m.Run()
	if programsDir != "" {
		os.RemoveAll(programsDir)
	}
	os.Exit(code)
}

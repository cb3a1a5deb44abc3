//go:build !dpdk

package dpdk

import (
	"strings"
	"testing"
)

// TestUnavailable: every way in says how to get DPDK.
func TestUnavailable(t *testing.T) {
	_, initErr := Init(nil)
	_, openErr := OpenPort(PortConfig{Name: "net_ring0"})
	_, registerErr := RegisterThread()
	for _, err := range []error{Available(), initErr, openErr, registerErr} {
		if err == nil || !strings.Contains(err.Error(), "-tags dpdk") || !strings.Contains(err.Error(), "libdpdk-dev") {
			t.Errorf("error %v", err)
		}
	}
}

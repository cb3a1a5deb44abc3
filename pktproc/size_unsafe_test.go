package pktproc

import (
	"testing"
	"unsafe"
)

// TestTenantIsAligned: what every request reads of a tenant is one cache line.
func TestTenantIsAligned(t *testing.T) {
	var x tenant
	if end := unsafe.Offsetof(x.isTrusted) + unsafe.Sizeof(x.isTrusted); end > 64 {
		t.Errorf("what a request reads ends at byte %d: keep it in the first 64", end)
	}
	if size := unsafe.Sizeof(x); size != 256 {
		t.Errorf("a tenant has %d bytes: make tenantPad %d", size, 256-(int(size)-tenantPad))
	}
}

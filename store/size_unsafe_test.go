package store

import (
	"testing"
	"unsafe"

	"shredder/internal/invariant"
)

// TestShardIsAligned: what a lookup reads of a Shard is one cache line.
func TestShardIsAligned(t *testing.T) {
	var s Shard
	if end := unsafe.Offsetof(s.split) + unsafe.Sizeof(s.split); end != 64 {
		t.Errorf("a lookup's words end at byte %d: keep them in the first 64", end)
	}
	if size := unsafe.Sizeof(s); size != 256 && !invariant.Enabled {
		t.Errorf("a Shard has %d bytes: make shardPad %d", size, 256-(int(size)-shardPad))
	}
}

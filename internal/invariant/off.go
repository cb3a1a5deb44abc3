//go:build !invariants

// Package invariant holds checks that cost nothing in production: without the
// build tag "invariants" its functions are empty and are compiled away. With it,
// memory given back is filled with 0xCC, so that a borrow kept too long fails
// loudly, and an Owner proves that what is confined to one lcore stays there.
// Any thread may call it.
package invariant

// Enabled tells whether the checks are built in.
const Enabled = false

// Owner remembers the one thread that may use something.
type Owner struct{}

// Check panics if another thread or goroutine than the first one calls it.
func (*Owner) Check() {}

// HandOver lets the next caller of Check become the owner.
func (*Owner) HandOver() {}

// Fill overwrites memory that was given back.
func Fill([]byte) {}

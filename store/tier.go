package store

import "shredder/store/arena"

// Mem is the arena itself, for the compiled tier, whose linear memory it is.
// Refs index it. It is borrowed until Close.
func (s *Shard) Mem() []byte { return s.mem }

// Ref is where the block's bytes begin in Mem.
func (b Block) Ref() uint32 { return b.lead + arena.MaxLead }

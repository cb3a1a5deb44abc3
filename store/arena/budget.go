package arena

import "sync/atomic"

// Budget is the memory of the whole process that arenas may use. Any thread may
// call its methods.
type Budget struct {
	limit uint64
	used  atomic.Uint64
}

// NewBudget makes a budget of limit bytes.
func NewBudget(limit uint64) *Budget { return &Budget{limit: limit} }

// Take reserves size bytes, or reports false if they are not left.
func (b *Budget) Take(size uint64) bool {
	if b == nil {
		return true
	}
	for {
		used := b.used.Load()
		if size > b.limit || used > b.limit-size {
			return false
		}
		if b.used.CompareAndSwap(used, used+size) {
			return true
		}
	}
}

// overdraw takes size bytes, left or not: a commit must not stop half-way. Commits
// overdraw by their overflow buckets alone, at most slack/2 for each arena.
func (b *Budget) overdraw(size uint64) {
	if b != nil {
		b.used.Add(size)
	}
}

// Give returns size bytes.
func (b *Budget) Give(size uint64) {
	if b != nil {
		b.used.Add(^(size - 1))
	}
}

// Used and Limit are in bytes.
func (b *Budget) Used() uint64  { return b.used.Load() }
func (b *Budget) Limit() uint64 { return b.limit }

package tenants

// Memory is what a tenant's shard used when its home lcore last published it,
// in bytes but for Keys.
type Memory struct {
	Keys   uint64 `json:"keys"`
	Used   uint64 `json:"used"`   // pages taken from the budget
	Stored uint64 `json:"stored"` // keys and values
}

const numMemory = 3

func (l *Local) memoryNow() [numMemory]uint64 {
	s := l.Shard.Stats()
	return [numMemory]uint64{s.Entries, s.Used, s.Stored}
}

// PublishedMemory returns the memory use as it was last published. Any thread may call it.
func (l *Local) PublishedMemory() Memory {
	p := &l.published.memory
	return Memory{Keys: p[0].Load(), Used: p[1].Load(), Stored: p[2].Load()}
}

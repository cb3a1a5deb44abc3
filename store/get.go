package store

// Get returns what k holds at time now (unix ms), or Missing. The value is
// borrowed until the shard's next mutation.
func (s *Shard) Get(k Key, now int64) (Entry, Result) { return s.GetHashed(s.Hash(k), k, now) }

// GetHashed is Get with the key's hash at hand.
func (s *Shard) GetHashed(h uint64, k Key, now int64) (Entry, Result) {
	s.owner.Check()
	_, e, r := s.find(h, k)
	if r != OK {
		return Entry{}, r
	}
	if e.expired(now) {
		return Entry{}, Missing
	}
	return e.out(), OK
}

package store

import (
	"encoding/binary"
	"testing"

	"shredder/store/arena"
	"shredder/store/layout"
)

// place returns the bucket's bytes and the slot of an integer key.
func place(t *testing.T, s *Shard, n uint64) (*[layout.BucketSize]byte, slot) {
	t.Helper()
	at, _, r := s.find(s.Hash(IntKey(n)), IntKey(n))
	if r != OK {
		t.Fatal(r)
	}
	return s.bucket(at.bucket), at
}

func setRef(b *[layout.BucketSize]byte, at slot, ref uint32) {
	binary.LittleEndian.PutUint32(b[layout.OffRefs+4*at.at:], ref)
}

// TestDamageByName makes the damages that have a name, each in a shard of its own, and
// says what comes of them.
func TestDamageByName(t *testing.T) {
	for name, damage := range map[string]func(s *Shard) Result{
		"two slots, one block: the second free is noticed": func(s *Shard) Result {
			b1, at1 := place(t, s, 1)
			b2 := s.bucket(at1.bucket)
			free := uint32(layout.BucketSlots - 1)
			binary.LittleEndian.PutUint16(b2[layout.OffTags+2*free:], tagOf(s.Hash(IntKey(1))))
			binary.LittleEndian.PutUint32(b2[layout.OffRefs+4*free:], binary.LittleEndian.Uint32(b1[layout.OffRefs+4*at1.at:]))
			s.Delete(IntKey(1), 0, false, 1)
			writeAgain(s, at1.ref)
			_, r := s.Delete(IntKey(1), 0, false, 1)
			return r
		},
		"a ref into the middle of another entry's value": func(s *Shard) Result {
			b, at := place(t, s, 1)
			_, other := place(t, s, 2)
			inner := other.ref + layout.EntryHeaderSize + 8
			s.writeHead(inner, IntKey(1), 8, 77, 0)
			setRef(b, at, inner)
			if e, r := s.Get(IntKey(1), 1); r != OK || e.Version != 77 {
				return Missing
			}
			_, r := s.Set(IntKey(1), make([]byte, 500), SetOptions{}, 1)
			return r
		},
		"a ref to the header": func(s *Shard) Result {
			b, at := place(t, s, 1)
			setRef(b, at, 8)
			_, r := s.Set(IntKey(1), nil, SetOptions{}, 1)
			if r == OK { // not seen as key 1: the table has it twice now
				r = Corrupt
			}
			return r
		},
		"a ref behind the end": func(s *Shard) Result {
			b, at := place(t, s, 1)
			setRef(b, at, uint32(len(s.mem))-8)
			_, r := s.Get(IntKey(1), 1)
			return r
		},
		"the largest ref": func(s *Shard) Result {
			b, at := place(t, s, 1)
			setRef(b, at, 1<<32-8)
			_, r := s.Delete(IntKey(1), 0, false, 1)
			return r
		},
		"a value longer than the arena": func(s *Shard) Result {
			_, at := place(t, s, 1)
			binary.LittleEndian.PutUint32(s.mem[at.ref+layout.OffEntryValueLen:], 1<<31)
			_, r := s.Get(IntKey(1), 1)
			return r
		},
		"a chain that bites its tail": func(s *Shard) Result {
			b, at := place(t, s, 1)
			binary.LittleEndian.PutUint32(b[layout.OffOverflow:], at.bucket)
			h := s.Hash(IntKey(1))
			absent := IntKey(0)
			for n := uint64(1 << 30); ; n++ {
				if s.bucketOf(s.Hash(IntKey(n))) == s.bucketOf(h) {
					absent = IntKey(n)
					break
				}
			}
			_, r := s.Get(absent, 1)
			return r
		},
		"a chain into a reserved block": func(s *Shard) Result {
			block, _ := s.Reserve(1000)
			b, at := place(t, s, 1)
			s.writeHead(block.lead+arena.MaxLead-32, IntKey(1), 1000, 5, 0)
			setRef(b, at, block.lead+arena.MaxLead-32)
			_, r := s.Delete(IntKey(1), 0, false, 1)
			if !s.Holds(block) {
				return OK
			}
			return r
		},
	} {
		s := open(t, Config{Quota: 1 << 20, Seed: 9})
		for n := range uint64(20) {
			s.Set(IntKey(n), make([]byte, 100), SetOptions{}, 1)
		}
		if r := damage(s); r != Corrupt {
			t.Errorf("%s: %v", name, r)
		}
		s.Flush()
		if _, r := s.Set(IntKey(1), nil, SetOptions{}, 1); r != OK || s.Corrupted() {
			t.Errorf("%s: after a flush %v", name, r)
		}
	}
}

// writeAgain writes key 1's header over a freed block, which the checked build has filled.
func writeAgain(s *Shard, ref uint32) { s.writeHead(ref, IntKey(1), 100, 1, 0) }

// TestFullChain: a chain as long as may be takes no more keys, by Full, and a commit that
// meets it applies nothing.
func TestFullChain(t *testing.T) {
	s := open(t, Config{Quota: 4 << 20, Seed: 9})
	target := s.Hash(IntKey(0)) & 0x3fff
	o := s.Overlay()
	linked, refused := 0, Key{}
	for n := uint64(0); linked <= layout.MaxChain*layout.BucketSlots; n++ {
		if s.Hash(IntKey(n))&0x3fff != target {
			continue
		}
		_, r := s.Set(IntKey(n), nil, SetOptions{}, 1)
		if r == Full {
			refused = IntKey(n)
			break
		}
		if r != OK {
			t.Fatal(r)
		}
		linked++
	}
	if linked != layout.MaxChain*layout.BucketSlots {
		t.Fatalf("%d keys in one chain", linked)
	}
	before := s.Stats()
	o.Begin(1, OverlayLimits{})
	o.Set(BytesKey([]byte("a")), nil, SetOptions{})
	o.Set(refused, nil, SetOptions{})
	o.Delete(IntKey(0), 0, false)
	o.Set(BytesKey([]byte("b")), nil, SetOptions{})
	if r := o.Commit(); r != Full {
		t.Fatal(r)
	}
	after := s.Stats()
	before.Version = after.Version
	if before != after || s.Corrupted() {
		t.Fatalf("a refused commit left a trace:\n%+v\n%+v", before, after)
	}
	if _, r := s.Get(BytesKey([]byte("a")), 1); r != Missing {
		t.Fatal(r)
	}
	if _, r := s.Get(IntKey(0), 1); r != OK {
		t.Fatal(r)
	}
}

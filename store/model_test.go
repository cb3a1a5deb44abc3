package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"shredder/store/arena"
)

// modelEntry and reference are the map that the shard is held against.
type modelEntry struct {
	value   []byte
	version uint64
	expire  int64
}

type reference struct {
	keys map[string]modelEntry
	now  int64
}

func (m *reference) get(k string) (modelEntry, bool) {
	e, ok := m.keys[k]
	if ok && e.expire != 0 && e.expire <= m.now {
		return modelEntry{}, false
	}
	return e, ok
}

// table is what Shard and Overlay have in common, so that one test drives both.
type table interface {
	get(k Key) (Entry, Result)
	set(k Key, v []byte, o SetOptions) (uint64, Result)
	del(k Key, v uint64, has bool) (uint64, Result)
	incr(k Key, d int64) (int64, uint64, Result)
	swap(k Key, a, b []byte) (uint64, Result)
	expire(k Key, at int64) (uint64, Result)
	scan(c uint64, limit int, visit func(Key, Entry) bool) (uint64, Result)
}

type direct struct {
	s   *Shard
	now *int64
}

func (d direct) get(k Key) (Entry, Result) { return d.s.Get(k, *d.now) }
func (d direct) set(k Key, v []byte, o SetOptions) (uint64, Result) {
	return d.s.Set(k, v, o, *d.now)
}

// setBlock is set by way of a reserved block.
func (d direct) setBlock(k Key, v []byte, o SetOptions) (uint64, Result) {
	b, r := d.s.Reserve(uint32(len(v)))
	if r != OK {
		return 0, r
	}
	copy(b.Bytes(), v)
	version, r := d.s.SetBlock(k, b, o, *d.now)
	d.s.Release(b) // of no effect once the table has it
	return version, r
}
func (d direct) del(k Key, v uint64, has bool) (uint64, Result) { return d.s.Delete(k, v, has, *d.now) }
func (d direct) incr(k Key, n int64) (int64, uint64, Result)    { return d.s.Incr(k, n, *d.now) }
func (d direct) swap(k Key, a, b []byte) (uint64, Result)       { return d.s.Swap(k, a, b, *d.now) }
func (d direct) expire(k Key, at int64) (uint64, Result)        { return d.s.Expire(k, at, *d.now) }
func (d direct) scan(c uint64, l int, v func(Key, Entry) bool) (uint64, Result) {
	return d.s.Scan(c, l, *d.now, v)
}

type buffered struct{ o *Overlay }

func (b buffered) get(k Key) (Entry, Result)                          { return b.o.Get(k) }
func (b buffered) set(k Key, v []byte, o SetOptions) (uint64, Result) { return b.o.Set(k, v, o) }
func (b buffered) del(k Key, v uint64, has bool) (uint64, Result)     { return b.o.Delete(k, v, has) }
func (b buffered) incr(k Key, n int64) (int64, uint64, Result)        { return b.o.Incr(k, n) }
func (b buffered) swap(k Key, x, y []byte) (uint64, Result)           { return b.o.Swap(k, x, y) }
func (b buffered) expire(k Key, at int64) (uint64, Result)            { return b.o.Expire(k, at) }
func (b buffered) scan(c uint64, l int, v func(Key, Entry) bool) (uint64, Result) {
	return b.o.Scan(c, l, v)
}

func randomKey(rng *rand.Rand) (string, Key) {
	n := rng.IntN(400)
	switch rng.IntN(4) {
	case 0:
		return strconv.Itoa(n), IntKey(uint64(n))
	case 1:
		return strconv.Itoa(n), BytesKey([]byte(strconv.Itoa(n))) // the same key by another spelling
	case 2:
		s := "0" + strconv.Itoa(n)
		return s, BytesKey([]byte(s))
	default:
		s := fmt.Sprintf("%0*d-key", 1+n%60, n)
		return s, BytesKey([]byte(s))
	}
}

func randomBytes(rng *rand.Rand) []byte {
	if rng.IntN(4) == 0 {
		return strconv.AppendInt(nil, rng.Int64N(2000)-1000, 10)
	}
	size := rng.IntN(300)
	if rng.IntN(20) == 0 {
		size = rng.IntN(40_000)
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// mutate does one random operation on both and compares.
func mutate(t *testing.T, rng *rand.Rand, tb table, m *reference, overlay bool) {
	name, k := randomKey(rng)
	old, has := m.get(name)
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("key %q (overlay %v): %s", name, overlay, fmt.Sprintf(format, args...))
	}
	switch op := rng.IntN(100); {
	case op < 30:
		e, r := tb.get(k)
		if has != (r == OK) || has && (!bytes.Equal(e.Value, old.value) || e.Version != old.version || e.ExpireMillis != old.expire) {
			fail("get: %v %d bytes version %d; model %v %d bytes version %d", r, len(e.Value), e.Version, has, len(old.value), old.version)
		}
	case op < 60:
		v := randomBytes(rng)
		o := SetOptions{}
		if rng.IntN(4) == 0 {
			o.HasIfVersion, o.IfVersion = true, old.version+uint64(rng.IntN(2))
		}
		if rng.IntN(3) == 0 {
			o.ExpireMillis = m.now + int64(rng.IntN(50))
		}
		version, r := uint64(0), OK
		if d, ok := tb.(direct); ok && rng.IntN(6) == 0 {
			version, r = d.setBlock(k, v, o)
		} else {
			version, r = tb.set(k, v, o)
		}
		if o.HasIfVersion && o.IfVersion != old.version {
			if r != Conflict || version != old.version {
				fail("set: %v %d, want a conflict with %d", r, version, old.version)
			}
			return
		}
		if r != OK {
			fail("set: %v", r)
		}
		m.keys[name] = modelEntry{v, version, o.ExpireMillis}
	case op < 75:
		version, r := tb.del(k, old.version, rng.IntN(2) == 0)
		if has != (r == OK) || version != old.version {
			fail("delete: %v version %d; model %v %d", r, version, has, old.version)
		}
		delete(m.keys, name)
	case op < 85:
		n, ok := int64(0), true
		if has {
			n, ok = parseInt(old.value)
		}
		d := rng.Int64N(2000) - 1000
		sum, version, r := tb.incr(k, d)
		if !ok {
			if r != NotInteger {
				fail("incr of %q: %v", old.value, r)
			}
			return
		}
		if r != OK || sum != n+d {
			fail("incr: %v %d, want %d", r, sum, n+d)
		}
		m.keys[name] = modelEntry{strconv.AppendInt(nil, sum, 10), version, old.expire}
	case op < 92:
		expected, v := old.value, randomBytes(rng)
		if rng.IntN(3) == 0 {
			expected = append([]byte("x"), expected...)
		}
		version, r := tb.swap(k, expected, v)
		switch {
		case !has:
			if r != Missing {
				fail("swap of nothing: %v", r)
			}
		case len(expected) != len(old.value):
			if r != Conflict || version != old.version {
				fail("swap: %v, want a conflict", r)
			}
		default:
			if r != OK {
				fail("swap: %v", r)
			}
			m.keys[name] = modelEntry{v, version, old.expire}
		}
	default:
		at := int64(0)
		if rng.IntN(2) == 0 {
			at = m.now + int64(rng.IntN(50))
		}
		version, r := tb.expire(k, at)
		if has != (r == OK) {
			fail("expire: %v, model %v", r, has)
		}
		if has {
			m.keys[name] = modelEntry{old.value, version, at}
		}
	}
}

// compareScan scans in small steps and wants just the model's keys.
func compareScan(t *testing.T, tb table, m *reference) {
	t.Helper()
	seen := map[string]bool{}
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		var r Result
		cursor, r = tb.scan(cursor, 3, func(k Key, e Entry) bool {
			name := string(k.Bytes)
			if k.Bytes == nil {
				name = strconv.FormatUint(k.Int, 10)
			}
			want, ok := m.get(name)
			if !ok || !bytes.Equal(want.value, e.Value) || want.version != e.Version {
				t.Fatalf("scan found %q version %d; model %v %d", name, e.Version, ok, want.version)
			}
			seen[name] = true
			return true
		})
		if r != OK || cursor >= 1<<53 {
			t.Fatalf("scan: %v, cursor %d", r, cursor)
		}
	}
	for name := range m.keys {
		if _, ok := m.get(name); ok && !seen[name] {
			t.Fatalf("scan missed %q", name)
		}
	}
}

func TestModel(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 7))
		budget := arena.NewBudget(64 << 20)
		s, err := Open(Config{Quota: 16 << 20, Seed: seed + 1, Budget: budget})
		if err != nil {
			t.Fatal(err)
		}
		m := &reference{keys: map[string]modelEntry{}, now: 1000}
		tb := direct{s, &m.now}
		for range 300 {
			for range rng.IntN(40) {
				mutate(t, rng, tb, m, false)
			}
			o := s.Overlay()
			o.Begin(m.now, OverlayLimits{})
			before := &reference{keys: map[string]modelEntry{}, now: m.now}
			for k, e := range m.keys {
				before.keys[k] = e
			}
			var borrowed [][2][]byte
			for range rng.IntN(30) {
				mutate(t, rng, buffered{o}, m, true)
				_, k := randomKey(rng)
				if e, r := o.Get(k); r == OK {
					borrowed = append(borrowed, [2][]byte{e.Value, bytes.Clone(e.Value)})
				}
			}
			for _, b := range borrowed {
				if !bytes.Equal(b[0], b[1]) {
					t.Fatal("a value read in an invocation changed before its end")
				}
			}
			if rng.IntN(4) == 0 {
				compareScan(t, buffered{o}, m)
			}
			if rng.IntN(2) == 0 {
				if r := o.Commit(); r != OK {
					t.Fatalf("commit: %v", r)
				}
			} else {
				o.Discard()
				m = before
				tb = direct{s, &m.now}
			}
			m.now += int64(rng.IntN(20))
			for s.Maintain(m.now, 8) && rng.IntN(2) == 0 {
			}
		}
		compareScan(t, tb, m)
		for name := range m.keys {
			s.Delete(BytesKey([]byte(name)), 0, false, m.now)
		}
		m.now += 1000
		for range 2000 {
			s.Maintain(m.now, 64)
		}
		if s.Len() != 0 || s.Stats().Blocks > s.Stats().Buckets || s.Stats().Stored != 0 || s.Stats().Expiring != 0 {
			t.Fatalf("seed %d: after deleting everything: %+v", seed, s.Stats())
		}
		if err := s.Close(); err != nil || budget.Used() != 0 {
			t.Fatalf("close: %v, budget still charged %d", err, budget.Used())
		}
	}
}

// TestScanSeesWhatStays: keys present throughout are seen although the table grows
// and others come and go.
func TestScanSeesWhatStays(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 9))
		s, err := Open(Config{Quota: 32 << 20, Seed: seed + 1})
		if err != nil {
			t.Fatal(err)
		}
		const stay = 2000
		for n := range uint64(stay) {
			s.Set(IntKey(n), []byte("x"), SetOptions{}, 1)
		}
		seen := map[uint64]bool{}
		next := uint64(stay)
		for cursor, first := uint64(0), true; first || cursor != 0; first = false {
			cursor, _ = s.Scan(cursor, 7, 1, func(k Key, e Entry) bool { seen[k.Int] = true; return rng.IntN(50) != 0 })
			for range rng.IntN(20) {
				s.Set(IntKey(next), []byte("y"), SetOptions{}, 1)
				next++
				if rng.IntN(3) == 0 {
					s.Delete(IntKey(stay+rng.Uint64N(next-stay)), 0, false, 1)
				}
			}
		}
		for n := range uint64(stay) {
			if !seen[n] {
				t.Fatalf("seed %d: key %d was there all the time and was not seen", seed, n)
			}
		}
		s.Close()
	}
}

func TestFullLeavesReadsGoing(t *testing.T) {
	s, err := Open(Config{Quota: 1 << 20, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for round := range 4 {
		n := uint64(0)
		for ; ; n++ {
			if _, r := s.Set(IntKey(n), []byte("12345678"), SetOptions{}, 1); r == Full {
				break
			} else if r != OK {
				t.Fatal(r)
			}
		}
		// 48 bytes a block and a bucket for five: at least 90 % of the quota is entries.
		if used := n * (48 + 64/5); used < 9*(1<<20)/10 {
			t.Errorf("round %d: full with %d entries, %d bytes of a quota of %d", round, n, used, 1<<20)
		}
		for i := range n {
			if _, r := s.Get(IntKey(i), 1); r != OK {
				t.Fatalf("key %d: %v", i, r)
			}
		}
		for i := range n {
			if _, r := s.Delete(IntKey(i), 0, false, 1); r != OK {
				t.Fatalf("delete of %d: %v", i, r)
			}
		}
	}
}

// TestDamageIsContained flips bytes everywhere and wants statuses, not panics.
func TestDamageIsContained(t *testing.T) {
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 11))
		s, err := Open(Config{Quota: 1 << 20, Seed: seed + 1})
		if err != nil {
			t.Fatal(err)
		}
		now := int64(1000)
		m := &reference{keys: map[string]modelEntry{}, now: now}
		for range 300 {
			mutate(t, rng, direct{s, &m.now}, m, false)
		}
		used := s.a.Usage().Used
		for range 1 + rng.IntN(200) {
			switch rng.IntN(3) {
			case 0:
				s.mem[rng.Uint64N(4096)] ^= 1 << rng.IntN(8)
			case 1:
				s.mem[uint64(arena.NearEnd)+rng.Uint64N(used)] = byte(rng.Uint32())
			default:
				at := rng.Uint64N(uint64(arena.NearEnd) + used - 8)
				for i := range uint64(4) {
					s.mem[at+i] = byte(rng.Uint32())
				}
			}
		}
		o := s.Overlay()
		for range 500 {
			_, k := randomKey(rng)
			s.Get(k, now)
			s.BucketLine(s.Hash(k))
			s.FindSpot(s.Hash(k))
			switch rng.IntN(9) {
			case 0:
				s.Set(k, randomBytes(rng), SetOptions{}, now)
			case 1:
				s.Delete(k, 0, false, now)
			case 2:
				s.Incr(k, 1, now)
			case 3:
				s.Scan(rng.Uint64N(1<<43), 50, now, func(Key, Entry) bool { return true })
			case 4:
				s.Maintain(now, 10)
			case 5:
				s.Expire(k, now+10, now)
			case 6:
				o.Begin(now, OverlayLimits{})
				for range 20 {
					_, k := randomKey(rng)
					o.Set(k, randomBytes(rng), SetOptions{})
					o.Delete(k, 0, false)
				}
				o.Scan(0, 50, func(Key, Entry) bool { return true })
				s.mem[uint64(arena.NearEnd)+rng.Uint64N(used)] = byte(rng.Uint32())
				if rng.IntN(2) == 0 {
					o.Commit()
				} else {
					o.Discard()
				}
			case 7:
				if b, r := s.Reserve(uint32(rng.IntN(20_000))); r == OK {
					clear(b.Bytes())
					if _, r := s.SetBlock(k, b, SetOptions{}, now); r != OK {
						s.Release(b)
					}
				}
			default:
				s.Swap(k, nil, []byte("x"), now)
			}
		}
		s.Flush()
		if _, r := s.Set(IntKey(1), []byte("new"), SetOptions{}, now); r != OK || s.Len() != 1 {
			t.Fatalf("seed %d: after a flush: %v, %d entries", seed, r, s.Len())
		}
		s.Close()
	}
}

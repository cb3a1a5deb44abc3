package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestPatch holds Patch against a model: growth, zeros, expiry kept, expired values gone.
func TestPatch(t *testing.T) {
	s, err := Open(Config{Quota: 8 << 20, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	type value struct {
		b      []byte
		expire int64
	}
	rng := rand.New(rand.NewPCG(1, 2))
	model := map[string]value{}
	now := int64(1000)
	for range 20_000 {
		name := fmt.Sprint("key", rng.IntN(40))
		if rng.IntN(2) == 0 {
			name = fmt.Sprint(rng.IntN(40))
		}
		k := BytesKey([]byte(name))
		now += rng.Int64N(3)
		old := model[name]
		if old.expire != 0 && old.expire <= now {
			old = value{}
			delete(model, name)
		}
		switch rng.IntN(8) {
		case 0:
			s.Delete(k, 0, false, now)
			delete(model, name)
		case 1:
			old = value{bytes.Repeat([]byte{byte(rng.IntN(256))}, rng.IntN(300)), now + rng.Int64N(200)*rng.Int64N(2)}
			if _, r := s.Set(k, old.b, SetOptions{ExpireMillis: old.expire}, now); r != OK {
				t.Fatal(r)
			}
			model[name] = old
		default:
			off, part := rng.IntN(400), bytes.Repeat([]byte{byte(rng.IntN(256))}, rng.IntN(200))
			if rng.IntN(50) == 0 {
				off += 9000
			}
			size, version, r := s.Patch(k, off, part, now)
			b := bytes.Clone(old.b)
			if n := off + len(part); n > len(b) {
				b = append(b, make([]byte, n-len(b))...)
			}
			copy(b[off:], part)
			model[name] = value{b, old.expire}
			if r != OK || size != len(b) || version != s.Version() {
				t.Fatal(size, version, r)
			}
		}
		got, r := s.Get(k, now)
		want, ok := model[name]
		if ok && want.expire != 0 && want.expire <= now {
			ok = false
		}
		if (r == OK) != ok || ok && (!bytes.Equal(got.Value, want.b) || got.ExpireMillis != want.expire) {
			t.Fatalf("%s: %v %v, want %v", name, r, got, want)
		}
	}
	stored, expiring := 0, 0
	for name, v := range model {
		k := BytesKey([]byte(name))
		stored += int(keyRoom(k)) + len(v.b)
		if v.expire != 0 {
			expiring++
		}
	}
	for range 100 {
		s.Maintain(now, 64)
	}
	for name, v := range model {
		if v.expire != 0 && v.expire <= now {
			stored -= int(keyRoom(BytesKey([]byte(name)))) + len(v.b)
			expiring--
		}
	}
	if st := s.Stats(); int(st.Stored) != stored || int(st.Expiring) != expiring || st.Corrupt {
		t.Errorf("%+v, want %d bytes stored, %d expiring", st, stored, expiring)
	}
	k := IntKey(1)
	for _, c := range []struct {
		off, n int
		want   Result
	}{{-1, 1, TooLarge}, {MaxValueSize, 1, TooLarge}, {MaxValueSize + 1, 0, TooLarge}, {1 << 62, 1, TooLarge}, {MaxValueSize - 1, 1, Full}} {
		if _, _, r := s.Patch(k, c.off, make([]byte, c.n), now); r != c.want {
			t.Errorf("%d bytes at %d: %v, want %v", c.n, c.off, r, c.want)
		}
	}
}

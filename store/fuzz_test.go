package store

import (
	"encoding/binary"
	"testing"

	"shredder/store/arena"
)

// FuzzOperations reads its input as a program: operations on a shard, and bytes of its
// arena flipped. Nothing may panic or hang, and a flush mends all.
func FuzzOperations(f *testing.F) {
	f.Add([]byte("\x00\x01\x10\x01\x01\x00\x03\x01\x05"))
	f.Add([]byte("\x06\x00\x20\x06\x01\x20\x07\x02\x00\x0a\x40\xff\x01\x00\x00\x08\x00\x00"))
	f.Add([]byte("\x00\x01\xff\x0a\x49\xff\x0b\x00\x80\x00\x01\xff\x02\x01\x00\x09\x00\xff"))
	f.Add([]byte("\x0c\x30\x00\x0a\x10\x03\x0a\x11\x07\x0c\x00\x00\x09\x03\xff\x08\x08\x08"))
	f.Add([]byte("\x05\x01\xff\x05\x02\xff\x05\x01\xff\x0d\x00\x00\x05\x01\x00\x02\x01\x00"))
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 3_000 {
			return
		}
		s, err := Open(Config{Quota: 256 << 10, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		run(s, program)
		s.Flush()
		if _, r := s.Set(IntKey(1), []byte("new"), SetOptions{}, 1); r != OK || s.Len() != 1 || s.Corrupted() {
			t.Fatalf("after a flush: %v, %d entries", r, s.Len())
		}
		for rounds := 0; s.Maintain(1, 64); rounds++ {
			if rounds > 1_000 {
				t.Fatal("Maintain has no end")
			}
		}
	})
}

// run interprets three bytes an operation: what, which key, how much.
func run(s *Shard, program []byte) {
	o := s.Overlay()
	inOverlay := false
	now := int64(1)
	value := make([]byte, 10_000)
	var held []Block
	visit := func(k Key, e Entry) bool { return len(e.Value) != 3 }
	for ; len(program) >= 3; program = program[3:] {
		code, name, amount := program[0]%16, program[1], int(program[2])
		k := IntKey(uint64(name % 64))
		if name >= 128 {
			k = BytesKey(value[:1+name%40])
		}
		binary.LittleEndian.PutUint16(value, uint16(amount))
		if inOverlay && code < 6 { // a direct write must wait for the invocation's end
			switch code {
			case 0:
				o.Set(k, value[:amount*8], SetOptions{ExpireMillis: int64(amount % 3)})
			case 1:
				o.Delete(k, 0, false)
			case 2:
				o.Incr(k, int64(amount))
			default:
				o.Get(k)
				o.Scan(uint64(amount)<<uint(name%40), 9, visit)
			}
			continue
		}
		switch code {
		case 0:
			s.Set(k, value[:amount*amount%9_000], SetOptions{ExpireMillis: int64(amount % 5)}, now)
		case 1:
			s.Delete(k, 0, false, now)
		case 2:
			s.Incr(k, int64(amount), now)
		case 3:
			s.Swap(k, value[:amount], value[:amount*3], now)
		case 4:
			s.Expire(k, int64(amount), now)
		case 5:
			if b, r := s.Reserve(uint32(amount * 50)); r == OK {
				clear(b.Bytes())
				if _, r := s.SetBlock(k, b, SetOptions{}, now); r != OK || amount%7 == 0 {
					held = append(held, b)
				}
			}
		case 6:
			o.Begin(now, OverlayLimits{Writes: amount})
			inOverlay = true
		case 7:
			if inOverlay {
				o.Commit()
			}
			inOverlay = false
		case 8:
			o.Discard()
			inOverlay = false
		case 9:
			s.Scan(uint64(name)<<uint(amount%50), amount, now, visit)
		case 10: // one bit of the header, the first index or the first blocks
			at := uint64(name)*131 + uint64(amount)*17
			s.mem[at%(arena.NearEnd+64<<10)] ^= 1 << (amount % 8)
		case 11: // a bucket's ref or overflow word
			at := 64 + uint64(name%32)*64 + 16 + uint64(amount%9)*4
			binary.LittleEndian.PutUint32(s.mem[at:], uint32(amount)*uint32(name)*8)
		case 12:
			if !inOverlay {
				for i := range uint64(amount) {
					s.Set(IntKey(uint64(name)<<8+i), value[:8], SetOptions{}, now)
				}
			}
		case 13:
			for _, b := range held {
				s.Release(b)
			}
		case 14:
			if !inOverlay {
				now += int64(amount % 4)
				s.Maintain(now, amount)
			}
		default:
			s.BucketLine(s.Hash(k))
			s.FindSpot(s.Hash(k))
			s.Get(k, now)
		}
	}
}

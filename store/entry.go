package store

import (
	"bytes"
	"encoding/binary"

	"shredder/store/layout"
)

// entry is the bytes of an entry from its header to its value's end. entry()
// checked that they lie in the arena.
type entry []byte

func keyRoom(k Key) uint32 {
	if k.Bytes == nil {
		return 8
	}
	return (uint32(len(k.Bytes)) + 7) &^ 7
}

// entry returns the entry at ref, or nil if what its header says leaves the arena
// or contradicts itself.
func (s *Shard) entry(ref uint32) entry {
	if uint64(ref)+layout.EntryHeaderSize+8 > uint64(len(s.mem)) || ref < layout.HeaderSize || ref%8 != 0 {
		return nil
	}
	h := s.mem[ref:]
	keyLen := uint64(binary.LittleEndian.Uint16(h[layout.OffEntryKeyLen:]))
	valueLen := uint64(binary.LittleEndian.Uint32(h[layout.OffEntryValueLen:]))
	room := uint64(8)
	if binary.LittleEndian.Uint16(h[layout.OffEntryFlags:])&layout.FlagIntKey == 0 {
		if keyLen == 0 || keyLen > MaxKeyLen {
			return nil
		}
		room = (keyLen + 7) &^ 7
	}
	if valueLen > MaxValueSize {
		return nil
	}
	end := uint64(ref) + layout.EntryHeaderSize + room + valueLen
	if end > uint64(len(s.mem)) {
		return nil
	}
	return entry(s.mem[ref:end:end])
}

func (e entry) isInt() bool {
	return binary.LittleEndian.Uint16(e[layout.OffEntryFlags:])&layout.FlagIntKey != 0
}

func (e entry) keyLen() int { return int(binary.LittleEndian.Uint16(e[layout.OffEntryKeyLen:])) }

// is tells whether the entry's key is k.
func (e entry) is(k Key) bool {
	if k.Bytes == nil {
		return e.isInt() && binary.LittleEndian.Uint64(e[layout.OffEntryKey:]) == k.Int
	}
	return !e.isInt() && bytes.Equal(e[layout.OffEntryKey:layout.OffEntryKey+e.keyLen()], k.Bytes)
}

// key returns the entry's key; its bytes are borrowed.
func (e entry) key() Key {
	if e.isInt() {
		return Key{Int: binary.LittleEndian.Uint64(e[layout.OffEntryKey:])}
	}
	end := layout.OffEntryKey + e.keyLen()
	return Key{Bytes: e[layout.OffEntryKey:end:end]}
}

func (e entry) valueOff() int {
	if e.isInt() {
		return layout.OffEntryKey + 8
	}
	return layout.OffEntryKey + (e.keyLen()+7)&^7
}

func (e entry) value() []byte   { return e[e.valueOff():] }
func (e entry) version() uint64 { return binary.LittleEndian.Uint64(e[layout.OffEntryVersion:]) }
func (e entry) expire() int64 {
	return int64(binary.LittleEndian.Uint64(e[layout.OffEntryExpire:]))
}
func (e entry) setExpire(ms int64) {
	binary.LittleEndian.PutUint64(e[layout.OffEntryExpire:], uint64(ms))
}

// expired: an expiry is a deletion at its moment.
func (e entry) expired(now int64) bool { x := e.expire(); return x != 0 && x <= now }

// out is what callers see of the entry.
func (e entry) out() Entry {
	return Entry{Value: e.value(), Version: e.version(), ExpireMillis: e.expire()}
}

// entrySize is the size of an entry's block.
func entrySize(k Key, valueLen uint32) uint32 {
	return layout.EntryHeaderSize + keyRoom(k) + valueLen
}

// writeHead writes an entry's header and key at ref, which has room for it.
func (s *Shard) writeHead(ref uint32, k Key, valueLen uint32, version uint64, expire int64) {
	h := s.mem[ref:]
	binary.LittleEndian.PutUint64(h[layout.OffEntryVersion:], version)
	binary.LittleEndian.PutUint64(h[layout.OffEntryExpire:], uint64(expire))
	binary.LittleEndian.PutUint32(h[layout.OffEntryValueLen:], valueLen)
	if k.Bytes == nil {
		binary.LittleEndian.PutUint16(h[layout.OffEntryKeyLen:], 0)
		binary.LittleEndian.PutUint16(h[layout.OffEntryFlags:], layout.FlagIntKey)
		binary.LittleEndian.PutUint64(h[layout.OffEntryKey:], k.Int)
		return
	}
	binary.LittleEndian.PutUint16(h[layout.OffEntryKeyLen:], uint16(len(k.Bytes)))
	binary.LittleEndian.PutUint16(h[layout.OffEntryFlags:], 0)
	room := keyRoom(k)
	clear(h[layout.OffEntryKey+room-8 : layout.OffEntryKey+room])
	copy(h[layout.OffEntryKey:layout.OffEntryKey+room], k.Bytes)
}

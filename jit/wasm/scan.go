package wasm

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf8"

	"shredder/jit/compile"
	"shredder/store"
)

// cursorOf reads a cursor as scan returns it, decimal text.
func cursorOf(b []byte) (n uint64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' || len(b) > 20 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

func hostIsCursor(i *Instance, s []uint64) {
	_, ok := cursorOf(i.utf8Of(i.textAt(s[0], s[1])))
	s[0] = boolCode(ok)
}

// hostScan makes {cursor, keys}: integer keys as numbers, others as text. It
// returns the fuel left and the object.
func hostScan(i *Instance, s []uint64) {
	left := int64(s[0])
	cursor, _ := cursorOf(i.utf8Of(i.textAt(s[1], s[2])))
	p := &i.parser
	p.i, p.full, p.refs = i, false, p.refs[:0]
	binaryKey := false
	next, r := i.overlay.Scan(cursor, int(s[3]), func(k store.Key, _ store.Entry) bool {
		ref := uint32(0)
		if k.Bytes == nil {
			ref = i.newNode(compile.TagNumber, 0, floatBits(k.Int))
		} else {
			binaryKey = binaryKey || !utf8.Valid(k.Bytes)
			i.builder.reset()
			i.builder.utf8(k.Bytes)
			ref = i.textNode(i.built())
		}
		p.made(ref)
		p.refs = append(p.refs, ref)
		return true
	})
	if r != store.OK {
		i.refuse(r)
		s[0], s[1] = ^uint64(0), 0
		return
	}
	count := len(p.refs)
	i.lookups += uint64(count)
	left = i.meter.spent(left - 1 - int64(count))
	keys, _ := p.listFrom(0)
	text, _ := p.made(i.textNode(i.builtOf(strconv.AppendUint(i.text[:0], next, 10))))
	members := [2]member{{i.builtOf([]byte("cursor")), text}, {i.builtOf([]byte("keys")), keys}}
	b, address := i.alloc(compile.EntrySize * len(members))
	object := uint32(compile.ValueScratch)
	if b != nil && !p.full {
		for n, m := range members {
			e := b[n*compile.EntrySize:]
			binary.LittleEndian.PutUint32(e, uint32(m.name>>32))
			binary.LittleEndian.PutUint32(e[4:], uint32(m.name))
			binary.LittleEndian.PutUint32(e[8:], m.ref)
		}
		object = i.newNode(compile.TagObject, uint32(len(members)), uint64(address))
	}
	if binaryKey && !p.full {
		object = compile.ValueOther // tier 0's text keeps the bytes
	}
	s[0], s[1] = uint64(left), uint64(object)
}

func floatBits(n uint64) uint64 { return math.Float64bits(float64(n)) }

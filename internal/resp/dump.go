package resp

import (
	"encoding/binary"
	"hash/crc32"
)

// FUNCTION DUMP: "SHREDFN" and a version byte, the library's code as FUNCTION
// LOAD takes it (u32 length in front; none: no library), CRC-32C of all before it.
const dumpMagic = "SHREDFN\x01"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (c *conn) functionDump() {
	b := []byte(dumpMagic)
	if v := c.active(); v != nil {
		code := libraryCode(v)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(code)))
		b = append(b, code...)
	}
	c.w.Bulk(binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)))
}

// readDump returns a dump's code, empty if it holds no library.
func readDump(b []byte) (code []byte, ok bool) {
	n := len(b) - 4
	if n < len(dumpMagic) || string(b[:len(dumpMagic)]) != dumpMagic || binary.LittleEndian.Uint32(b[n:]) != crc32.Checksum(b[:n], castagnoli) {
		return nil, false
	}
	b = b[len(dumpMagic):n]
	if len(b) == 0 {
		return nil, true
	}
	if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) != uint64(len(b)-4) {
		return nil, false
	}
	return b[4:], true
}

// functionRestore executes FUNCTION RESTORE payload [FLUSH|APPEND|REPLACE].
func (c *conn) functionRestore(args [][]byte) {
	replace := false
	if len(args) == 2 {
		switch {
		case is(args[1], "APPEND"):
		case is(args[1], "REPLACE"), is(args[1], "FLUSH"):
			replace = true
		default:
			c.w.Error("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.")
			return
		}
	}
	code, ok := readDump(args[0])
	if !ok {
		c.w.Error(textBadDump)
		return
	}
	if len(code) == 0 {
		var err error
		if len(args) == 2 && is(args[1], "FLUSH") {
			err = c.unload()
		}
		c.finish(err)
		return
	}
	name, err := libraryName(code)
	if err == nil && !replace {
		err = c.vacant(name)
	}
	if err == nil {
		err = c.deploy(name, code)
	}
	c.finish(err)
}

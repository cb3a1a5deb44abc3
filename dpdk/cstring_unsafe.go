//go:build dpdk

package dpdk

// #include <stdlib.h>
import "C"

import "unsafe"

// ealArgv copies args into C memory as an argv with its closing NULL. The EAL
// keeps pointers into it, so what Init passes is never freed.
func ealArgv(args []string) **C.char {
	argv := (**C.char)(C.calloc(C.size_t(len(args)+1), C.size_t(unsafe.Sizeof((*C.char)(nil)))))
	strings := unsafe.Slice(argv, len(args))
	for i, arg := range args {
		strings[i] = C.CString(arg)
	}
	return argv
}

// cstring copies s into C memory; release frees it.
func cstring(s string) (c *C.char, release func()) {
	c = C.CString(s)
	return c, func() { C.free(unsafe.Pointer(c)) }
}

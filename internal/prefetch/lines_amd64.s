#include "textflag.h"

// func Lines(at []uintptr)
TEXT ·Lines(SB), NOSPLIT, $0-24
	MOVQ at_base+0(FP), SI
	MOVQ at_len+8(FP), CX
	JMP  test
next:
	MOVQ (SI), AX
	PREFETCHT0 (AX)
	ADDQ $8, SI
	DECQ CX
test:
	TESTQ CX, CX
	JNE  next
	RET

// func Blocks(at []uintptr)
TEXT ·Blocks(SB), NOSPLIT, $0-24
	MOVQ at_base+0(FP), SI
	MOVQ at_len+8(FP), CX
	JMP  test
next:
	MOVQ (SI), AX
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	PREFETCHT0 128(AX)
	ADDQ $8, SI
	DECQ CX
test:
	TESTQ CX, CX
	JNE  next
	RET

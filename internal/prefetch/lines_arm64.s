#include "textflag.h"

// func Lines(at []uintptr)
TEXT ·Lines(SB), NOSPLIT, $0-24
	MOVD at_base+0(FP), R0
	MOVD at_len+8(FP), R1
	JMP  test
next:
	MOVD.P 8(R0), R2
	PRFM (R2), PLDL1KEEP
	SUB  $1, R1
test:
	CBNZ R1, next
	RET

// func Blocks(at []uintptr)
TEXT ·Blocks(SB), NOSPLIT, $0-24
	MOVD at_base+0(FP), R0
	MOVD at_len+8(FP), R1
	JMP  test
next:
	MOVD.P 8(R0), R2
	PRFM (R2), PLDL1KEEP
	PRFM 64(R2), PLDL1KEEP
	PRFM 128(R2), PLDL1KEEP
	SUB  $1, R1
test:
	CBNZ R1, next
	RET

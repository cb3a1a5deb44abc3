package compile

// opcode is a WebAssembly instruction that a tree can hold.
type opcode byte

// Control instructions and those with immediates.
const (
	opUnreachable  opcode = 0x00
	opBlock        opcode = 0x02
	opLoop         opcode = 0x03
	opIf           opcode = 0x04
	opElse         opcode = 0x05
	opEnd          opcode = 0x0b
	opBr           opcode = 0x0c
	opReturn       opcode = 0x0f
	opCall         opcode = 0x10
	opSelect       opcode = 0x1b
	opLocalGet     opcode = 0x20
	opLocalSet     opcode = 0x21
	opGlobalGet    opcode = 0x23
	opGlobalSet    opcode = 0x24
	opI32Load      opcode = 0x28
	opI64Load      opcode = 0x29
	opF32Load      opcode = 0x2a
	opF64Load      opcode = 0x2b
	opI32Load8S    opcode = 0x2c
	opI32Load8U    opcode = 0x2d
	opI32Load16S   opcode = 0x2e
	opI32Load16U   opcode = 0x2f
	opI64Load8S    opcode = 0x30
	opI64Load8U    opcode = 0x31
	opI64Load16S   opcode = 0x32
	opI64Load16U   opcode = 0x33
	opI64Load32S   opcode = 0x34
	opI64Load32U   opcode = 0x35
	opI32Store     opcode = 0x36
	opI64Store     opcode = 0x37
	opF32Store     opcode = 0x38
	opF64Store     opcode = 0x39
	opI64Store8    opcode = 0x3c
	opI64Store16   opcode = 0x3d
	opI64Store32   opcode = 0x3e
	opI32Const     opcode = 0x41
	opI64Const     opcode = 0x42
	opF64Const     opcode = 0x44
	opI32Eqz       opcode = 0x45
	opI32Eq        opcode = 0x46
	opI32Ne        opcode = 0x47
	opI32LtS       opcode = 0x48
	opI32LtU       opcode = 0x49
	opI32GtS       opcode = 0x4a
	opI32GtU       opcode = 0x4b
	opI32LeS       opcode = 0x4c
	opI32LeU       opcode = 0x4d
	opI32GeS       opcode = 0x4e
	opI32GeU       opcode = 0x4f
	opI64Eqz       opcode = 0x50
	opI64Eq        opcode = 0x51
	opI64Ne        opcode = 0x52
	opI64LtS       opcode = 0x53
	opI64LtU       opcode = 0x54
	opI64GtS       opcode = 0x55
	opI64GtU       opcode = 0x56
	opI64LeS       opcode = 0x57
	opI64LeU       opcode = 0x58
	opI64GeS       opcode = 0x59
	opI64GeU       opcode = 0x5a
	opF64Eq        opcode = 0x61
	opF64Ne        opcode = 0x62
	opF64Lt        opcode = 0x63
	opF64Gt        opcode = 0x64
	opF64Le        opcode = 0x65
	opF64Ge        opcode = 0x66
	opI32Clz       opcode = 0x67
	opI32Ctz       opcode = 0x68
	opI32Add       opcode = 0x6a
	opI32Sub       opcode = 0x6b
	opI32And       opcode = 0x71
	opI32Or        opcode = 0x72
	opI32Xor       opcode = 0x73
	opI32Shl       opcode = 0x74
	opI32ShrS      opcode = 0x75
	opI32ShrU      opcode = 0x76
	opI64Clz       opcode = 0x79
	opI64Add       opcode = 0x7c
	opI64Sub       opcode = 0x7d
	opI64Mul       opcode = 0x7e
	opI64DivS      opcode = 0x7f
	opI64RemS      opcode = 0x81
	opI64And       opcode = 0x83
	opI64Or        opcode = 0x84
	opI64Xor       opcode = 0x85
	opI64Shl       opcode = 0x86
	opI64ShrS      opcode = 0x87
	opI64ShrU      opcode = 0x88
	opI64Rotl      opcode = 0x89
	opF64Abs       opcode = 0x99
	opF64Neg       opcode = 0x9a
	opF64Ceil      opcode = 0x9b
	opF64Floor     opcode = 0x9c
	opF64Trunc     opcode = 0x9d
	opF64Sqrt      opcode = 0x9f
	opF64Add       opcode = 0xa0
	opF64Sub       opcode = 0xa1
	opF64Mul       opcode = 0xa2
	opF64Div       opcode = 0xa3
	opF64Min       opcode = 0xa4
	opF64Max       opcode = 0xa5
	opF64Copysign  opcode = 0xa6
	opI32WrapI64   opcode = 0xa7
	opI64ExtI32S   opcode = 0xac
	opI64ExtI32U   opcode = 0xad
	opF32DemoteF64 opcode = 0xb6
	opF64ConvI32S  opcode = 0xb7
	opF64ConvI32U  opcode = 0xb8
	opF64ConvI64S  opcode = 0xb9
	opF64PromF32   opcode = 0xbb
	opI32ReintF32  opcode = 0xbc
	opI64ReintF64  opcode = 0xbd
	opF32ReintI32  opcode = 0xbe
	opF64ReintI64  opcode = 0xbf
	opI64Ext32S    opcode = 0xc4
	opI64TruncSatS opcode = 0xfc // fc 06: f64 → i64, signed, saturating
	opTagMask      opcode = 0xfd // (bucket i32, tags i64) → a bit for each of eight u16 at bucket+imm that equals the one in each lane of tags
)

// valueType is a WebAssembly value type.
type valueType byte

const (
	i32 valueType = 0x7f
	i64 valueType = 0x7e
	f64 valueType = 0x7c
)

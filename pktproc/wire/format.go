// Package wire is the request format: views over the bytes of a datagram,
// encoders, and the statuses of replies. docs/wire-format.md is its
// specification; testdata/vectors.txt its examples.
//
// Everything here is a pure function of bytes and may be called from any
// thread. Views borrow the bytes they were made over.
package wire

// Version is the value of a datagram's first byte.
const Version = 1

// A datagram is one UDP payload: a header of HeaderSize bytes and then
// Operations, each padded to a multiple of 8 bytes. Integers are little-endian.
const (
	HeaderSize = 32

	offVersion  = 0  // u8: Version
	offFlags    = 1  // u8: Flag*
	offOps      = 2  // u8: number of operations, 1 to MaxOps
	offStatus   = 3  // u8: status of the datagram as a whole; 0 in requests
	offSession  = 4  // u32: session, or the tenant's id with FlagTrusted
	offSecret   = 8  // u64: the session's secret; 0 with FlagTrusted; echoed as 0 in replies
	offSeq      = 16 // u32: request sequence number, from 1, per session; echoed
	offFirst    = 20 // u32: first sequence number whose reply the client still lacks (RIFL's first incomplete)
	offLen      = 24 // u16: bytes behind the header, must equal the datagram's
	offPort     = 26 // u16: in replies the UDP port of the tenant's home lcore; 0 in requests
	offDeadline = 28 // u32: milliseconds the client will wait, 0 for the tenant's own deadline; echoed
)

// Datagram flags.
const (
	FlagReply   = 1 << 0 // set in every reply, never in a request
	FlagAtomic  = 1 << 1 // all operations on one overlay: all of them or none
	FlagTrusted = 1 << 2 // no session: offSession is a tenant id, allowed from trusted-sources only
	FlagReceipt = 1 << 3 // each reply carries a cost receipt
)

// An Operation is a header of OpHeaderSize bytes, then Words 64-bit words,
// the key, the value, and zero padding to a multiple of 8.
const (
	OpHeaderSize = 8

	offOpcode   = 0 // u8: Op*
	offOpFlags  = 1 // u8: OpFlag*
	offOpStatus = 2 // u8: status of this operation; 0 in requests
	offWords    = 3 // u8: number of 64-bit words, at most MaxWords
	offKeyLen   = 4 // u16: bytes of key, at most MaxKeyLen
	offValueLen = 6 // u16: bytes of value
)

// Operation flags.
const (
	OpFlagIntKey    = 1 << 0 // the key is a u64 below 2^53; its length is 8
	OpFlagIfVersion = 1 << 1 // the version word counts (0 means: only if absent)
	OpFlagTTL       = 1 << 2 // the TTL word counts
	OpFlagPushed    = 1 << 3 // the value is the block of a push, named by the push word
	OpFlagPartial   = 1 << 4 // reply: the value is only the beginning; pull the rest
	OpFlagReceipt   = 1 << 5 // reply: the last ReceiptWords words are a receipt
	OpFlagRange     = 1 << 6 // GET: the version and range words count
)

// Limits of the format.
const (
	MaxOps       = 64
	MaxWords     = 12
	MaxKeyLen    = 1024
	MaxValueSize = 16 << 20
	// MaxDatagram is the largest UDP payload that fits an MTU of 1500 over
	// IPv6 (1500 − 40 − 8). No datagram of ours is larger over either IP.
	MaxDatagram = 1452
	// WindowSize is how many sequence numbers a session has open at once.
	WindowSize = 64
	// ReceiptWords: fuel, lookups, bytes read, bytes returned, tier.
	ReceiptWords = 5
)

// Opcode says what an operation does.
type Opcode uint8

const (
	OpHello     Opcode = 1
	OpPing      Opcode = 2
	OpGet       Opcode = 3
	OpSet       Opcode = 4
	OpDelete    Opcode = 5
	OpIncr      Opcode = 6
	OpCAS       Opcode = 7
	OpTTL       Opcode = 8
	OpMultiGet  Opcode = 9
	OpScan      Opcode = 10
	OpCall      Opcode = 11
	OpTry       Opcode = 12
	OpFn        Opcode = 13
	OpLogs      Opcode = 14
	OpKill      Opcode = 15
	OpStats     Opcode = 16
	OpPushBegin Opcode = 17
	OpPush      Opcode = 18
	OpResult    Opcode = 19
)

// Status is the outcome of a datagram or of one operation.
type Status uint8

const (
	StatusOK          Status = 0
	StatusNotFound    Status = 1  // no such key
	StatusConflict    Status = 2  // ifVersion or the expected value did not match
	StatusNotInteger  Status = 3  // INCR of a value that is no decimal int64
	StatusOverflow    Status = 4  // INCR left the int64 range
	StatusTooLarge    Status = 5  // a key, value, request or result above its limit
	StatusFull        Status = 6  // the tenant's quota or the process's budget is used up
	StatusBusy        Status = 7  // too many requests of this tenant wait, or too many this second
	StatusPending     Status = 8  // a duplicate of a request that is still being executed
	StatusStale       Status = 9  // a sequence number below the session's window: its reply is gone
	StatusChanged     Status = 10 // a ranged GET found another version
	StatusNoSession   Status = 11 // unknown session, or wrong address or secret: say HELLO again
	StatusDenied      Status = 12 // the session's role or the source address may not do this
	StatusMalformed   Status = 13 // the bytes do not follow the format
	StatusUnsupported Status = 14 // unknown version, opcode, flag or verb
	StatusNoFunction  Status = 15 // the active library exports no such function
	StatusException   Status = 16 // the function threw; the value is message and position
	StatusDeadline    Status = 17 // not done within the wall deadline
	StatusFuel        Status = 18 // the fuel budget is spent
	StatusLimit       Status = 19 // another limit of the invocation (depth, writes, overlay bytes, scratch)
	StatusKilled      Status = 20 // ended by KILL, by a flush or by the tenant's deletion
	StatusQuarantined Status = 21 // the tenant's arena is damaged: no request is served
	StatusNoTenant    Status = 22 // no such tenant
	StatusBadLibrary  Status = 23 // a library does not load; the value says why, with line and column
	StatusNoVersion   Status = 24 // no such version of the library
	StatusNoPush      Status = 25 // unknown or timed-out push, or segments are missing
	StatusShutdown    Status = 26 // the server is going down
	StatusBadArgument Status = 27 // a word or an encoded argument is out of range
	StatusAborted     Status = 28 // an operation before this one failed in an atomic datagram
	StatusUnavailable Status = 29 // not enough memory or no free session now: try later
	StatusNotCompiled Status = 30 // a sandboxed tenant's call that no compiled code can run; the value says why, with line and column
)

// Roles a session can have (word of HELLO2).
const (
	RoleData   = 0
	RoleDeploy = 1
)

// Verbs of OpFn (word 0).
const (
	FnDeploy   = 0 // value or push: source; key: library name. Words: verb, flags (1: activate), push. Reply value: version hash, hex
	FnActivate = 1 // value: version hash
	FnRollback = 2 // to the version that was active before
	FnList     = 3 // reply value: JSON
	FnDelete   = 4 // value: version hash
	FnExplain  = 5 // value: version hash, or nothing for the active one. Reply value: JSON
)

// Tags of encoded arguments and results: one tag byte, then
// int64 or float64 as 8 bytes; string, bytes and JSON as u32 length and bytes.
const (
	TagNull   = 0
	TagFalse  = 1
	TagTrue   = 2
	TagInt    = 3 // a safe integer, |n| < 2^53
	TagDouble = 4 // every other number; never a safe integer but −0
	TagString = 5 // UTF-8
	TagBytes  = 6
	TagJSON   = 7 // UTF-8 JSON text
)

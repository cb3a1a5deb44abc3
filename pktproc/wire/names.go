package wire

import "strconv"

var statusNames = [...]string{
	StatusOK: "OK", StatusNotFound: "NOT_FOUND", StatusConflict: "CONFLICT", StatusNotInteger: "NOT_INTEGER",
	StatusOverflow: "OVERFLOW", StatusTooLarge: "TOO_LARGE", StatusFull: "FULL", StatusBusy: "BUSY",
	StatusPending: "PENDING", StatusStale: "STALE", StatusChanged: "CHANGED", StatusNoSession: "NO_SESSION",
	StatusDenied: "DENIED", StatusMalformed: "MALFORMED", StatusUnsupported: "UNSUPPORTED",
	StatusNoFunction: "NO_FUNCTION", StatusException: "EXCEPTION", StatusDeadline: "DEADLINE", StatusFuel: "FUEL",
	StatusLimit: "LIMIT", StatusKilled: "KILLED", StatusQuarantined: "QUARANTINED", StatusNoTenant: "NO_TENANT",
	StatusBadLibrary: "BAD_LIBRARY", StatusNoVersion: "NO_VERSION", StatusNoPush: "NO_PUSH",
	StatusShutdown: "SHUTDOWN", StatusBadArgument: "BAD_ARGUMENT", StatusAborted: "ABORTED",
	StatusUnavailable: "UNAVAILABLE", StatusNotCompiled: "NOT_COMPILED",
}

var opcodeNames = [...]string{
	OpHello: "HELLO", OpPing: "PING", OpGet: "GET", OpSet: "SET", OpDelete: "DELETE", OpIncr: "INCR", OpCAS: "CAS",
	OpTTL: "TTL", OpMultiGet: "MULTI-GET", OpScan: "SCAN", OpCall: "CALL", OpTry: "TRY", OpFn: "FN",
	OpLogs: "LOGS", OpKill: "KILL", OpStats: "STATS", OpPushBegin: "PUSH-BEGIN", OpPush: "PUSH", OpResult: "RESULT",
}

// Statuses and Opcodes are one more than the highest of each: sizes of tables
// that count by them.
const (
	Statuses = int(StatusNotCompiled) + 1
	Opcodes  = int(OpResult) + 1
)

// String is the status's name in docs/wire-format.md.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "STATUS_" + strconv.Itoa(int(s))
}

// String is the opcode's name in docs/wire-format.md.
func (c Opcode) String() string {
	if int(c) < len(opcodeNames) && opcodeNames[c] != "" {
		return opcodeNames[c]
	}
	return "OPCODE_" + strconv.Itoa(int(c))
}

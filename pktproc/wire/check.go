package wire

// More limits of the format, checked by CheckOp.
const (
	// MaxSegment is the largest PUSH segment and ranged reply: what
	// MaxDatagram leaves behind two headers and two words, in whole words.
	MaxSegment = (MaxDatagram - HeaderSize - OpHeaderSize - 2*8) &^ 7
	MinSegment = 512
	// MaxScanLimit bounds the keys of one SCAN and the records of one LOGS.
	MaxScanLimit = 1024
	// MaxTTLMillis keeps now + ttl far from the end of int64 (2,231 years).
	MaxTTLMillis = 1 << 46
	// MaxNameLen bounds the names of tenants, functions and libraries.
	MaxNameLen = 128
	// MinHello1 is the smallest HELLO1 datagram, longer than any answer to it.
	MinHello1 = 128
)

const (
	keyNone = iota
	keyStore
	keyName // 1 to MaxNameLen bytes, never an integer key
	keyMaybeName
)

// opRule is what an opcode accepts in a request.
type opRule struct {
	known              bool
	flags              uint8 // flags that may be set
	minWords, maxWords uint8 // exceptions for flags are in CheckOp
	key                uint8
	value              bool // may have a value
}

var opRules = [256]opRule{
	OpHello:     {true, 0, 1, 4, keyMaybeName, true},
	OpPing:      {true, 0, 0, 0, keyNone, true},
	OpGet:       {true, OpFlagIntKey | OpFlagRange, 0, 2, keyStore, false},
	OpSet:       {true, OpFlagIntKey | OpFlagTTL | OpFlagIfVersion | OpFlagPushed, 0, 3, keyStore, true},
	OpDelete:    {true, OpFlagIntKey | OpFlagIfVersion, 0, 1, keyStore, false},
	OpIncr:      {true, OpFlagIntKey, 1, 1, keyStore, false},
	OpCAS:       {true, OpFlagIntKey, 1, 1, keyStore, true},
	OpTTL:       {true, OpFlagIntKey | OpFlagTTL, 0, 1, keyStore, false},
	OpMultiGet:  {true, 0, 1, 1, keyNone, true},
	OpScan:      {true, 0, 2, 2, keyNone, false},
	OpCall:      {true, 0, 0, 0, keyName, true},
	OpTry:       {true, 0, 0, 0, keyName, true},
	OpFn:        {true, OpFlagPushed, 1, 3, keyMaybeName, true},
	OpLogs:      {true, 0, 2, 2, keyNone, false},
	OpKill:      {true, 0, 2, 2, keyNone, false},
	OpStats:     {true, 0, 0, 0, keyNone, false},
	OpPushBegin: {true, 0, 2, 2, keyNone, false},
	OpPush:      {true, 0, 2, 2, keyNone, true},
	OpResult:    {true, 0, 3, 3, keyNone, false},
}

// CheckOp says whether an operation of a request, accepted by Parse, has the
// flags, words, key and value that its opcode wants: StatusUnsupported for an
// unknown opcode, flag or verb, StatusMalformed for a wrong shape,
// StatusBadArgument for a word out of its range, StatusTooLarge for a size
// above its limit. Each server lcore calls it once per operation.
func CheckOp(o Op) Status {
	rule := &opRules[o.Code()]
	flags := o.Flags()
	if !rule.known || flags&^rule.flags != 0 {
		return StatusUnsupported
	}
	words := uint8(o.Words())
	if o[offOpStatus] != 0 || words < rule.minWords || words > rule.maxWords {
		return StatusMalformed
	}
	if !rule.value && len(o.Value()) != 0 {
		return StatusMalformed
	}
	keyLen := len(o.Key())
	switch rule.key {
	case keyNone:
		if keyLen != 0 {
			return StatusMalformed
		}
	case keyStore:
		if keyLen == 0 {
			return StatusMalformed
		}
	case keyName:
		if keyLen == 0 || keyLen > MaxNameLen {
			return StatusMalformed
		}
	case keyMaybeName:
		if keyLen > MaxNameLen {
			return StatusMalformed
		}
	}
	return checkWords(o, flags, int(words))
}

// checkWords is the part of CheckOp that differs by opcode.
func checkWords(o Op, flags uint8, words int) Status {
	switch o.Code() {
	case OpGet:
		if (flags&OpFlagRange != 0) != (words == 2) {
			return StatusMalformed
		}
	case OpSet:
		return checkSet(o, flags, words)
	case OpDelete:
		if (flags&OpFlagIfVersion != 0) != (words == 1) {
			return StatusMalformed
		}
	case OpTTL:
		if (flags&OpFlagTTL != 0) != (words == 1) {
			return StatusMalformed
		}
		if o.Word(0) > MaxTTLMillis {
			return StatusBadArgument
		}
	case OpCAS:
		if o.Word(0) > uint64(len(o.Value())) {
			return StatusBadArgument
		}
	case OpMultiGet:
		return checkItems(o.Value(), o.Word(0))
	case OpScan, OpLogs:
		if limit := o.Word(1); limit == 0 || limit > MaxScanLimit {
			return StatusBadArgument
		}
	case OpHello:
		return checkHello(o, words)
	case OpFn:
		return checkFn(o, flags, words)
	case OpPushBegin, OpPush:
		return checkPush(o)
	}
	return StatusOK
}

func checkSet(o Op, flags uint8, words int) Status {
	want := 0
	if flags&OpFlagTTL != 0 {
		want = 1
	}
	if flags&OpFlagIfVersion != 0 {
		want = 2
	}
	if flags&OpFlagPushed != 0 {
		want = 3
		if len(o.Value()) != 0 {
			return StatusMalformed
		}
	}
	if words != want {
		return StatusMalformed
	}
	if ttl := o.Word(0); flags&OpFlagTTL != 0 && (ttl == 0 || ttl > MaxTTLMillis) {
		return StatusBadArgument
	}
	return StatusOK
}

func checkHello(o Op, words int) Status {
	switch o.Word(0) {
	case 1:
		if words != 1 || len(o.Key()) != 0 || HeaderSize+len(o) < MinHello1 {
			return StatusMalformed
		}
	case 2:
		if words != 4 || len(o.Key()) == 0 || len(o.Value()) < CookieSize+ProofSize {
			return StatusMalformed
		}
		if o.Word(1) > RoleDeploy {
			return StatusBadArgument
		}
	default:
		return StatusUnsupported
	}
	return StatusOK
}

func checkFn(o Op, flags uint8, words int) Status {
	verb := o.Word(0)
	if verb > FnDelete || o.Word(1) > FnFlagActivate {
		return StatusUnsupported
	}
	if flags&OpFlagPushed != 0 && (verb != FnDeploy || words != 3 || len(o.Value()) != 0) {
		return StatusMalformed
	}
	if (verb == FnDeploy) != (len(o.Key()) != 0) {
		return StatusMalformed
	}
	return StatusOK
}

func checkPush(o Op) Status {
	if o.Code() == OpPush {
		if n := len(o.Value()); n == 0 || n > MaxSegment {
			return StatusMalformed
		}
		return StatusOK
	}
	if total := o.Word(0); total > MaxValueSize {
		return StatusTooLarge
	} else if total == 0 {
		return StatusBadArgument
	}
	if s := o.Word(1); s < MinSegment || s > MaxSegment || s&7 != 0 {
		return StatusBadArgument
	}
	return StatusOK
}

func checkItems(b []byte, want uint64) Status {
	n := uint64(0)
	for len(b) > 0 {
		it, rest, st := FirstItem(b)
		if st != StatusOK {
			return st
		}
		if len(it.Value) != 0 || it.Deleted {
			return StatusMalformed
		}
		b = rest
		n++
	}
	if n == 0 || n != want {
		return StatusMalformed
	}
	return StatusOK
}

// FnFlagActivate, in word 1 of FnDeploy, activates the version at once.
const FnFlagActivate = 1

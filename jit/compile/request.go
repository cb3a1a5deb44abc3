package compile

// requestID is request.id: a number below 2^53, which all but a few are;
// others are text on tier 0.
func (l *lower) requestID() value {
	id := l.hostCall("requestID", i64)
	l.exitIf(binary2(opI64LtS, id, constI64(0)), ExitGuard, l.f.literal.Function, guardID53, false)
	return intValue(id, intT(0, maxSafe))
}

const guardID53 = "a request whose id is beyond 2^53"

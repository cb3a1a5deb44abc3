package pktproc

// Clock is the time of one turn, read once by the loop. Both readings belong
// together.
type Clock struct {
	// UnixMillis judges expiry and is a function's request.now.
	UnixMillis int64
	// MonoNanos judges deadlines, timeouts and rates; it never goes back.
	MonoNanos int64
}

func (c Clock) seconds() uint32 { return uint32(c.MonoNanos / 1e9) }

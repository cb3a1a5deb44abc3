// Package client talks to Shredder over UDP, in pure Go.
//
// A Client is one socket, one session with one tenant, and one goroutine that
// receives; its methods may be called from any number of goroutines, and their
// requests are in flight together. Replies name the port of the tenant's home
// lcore, and later requests go there. Values of any size up to 16 MiB are
// pushed and pulled in segments without the caller noticing.
//
// # Retries
//
// UDP loses, doubles and reorders. A request is sent again under the same
// sequence number until its reply comes, the context ends, or Options.Timeout
// has passed. The server records the outcome of whatever changes something, so
// a second copy is answered from the record (or with PENDING) and never
// executed: sending early costs a datagram and nothing else. The first retry
// comes after a measured round-trip time (RFC 6298), at least Options.MinRetry
// (20 ms), and 100 ms if a function is called; the interval then doubles up to
// 1 s. TRY is not recorded, and its first retry comes after 1 s, the usual
// deadline of a call.
//
// # When the server forgets
//
// A restarted server knows no session. The client then says HELLO again and
// repeats reads, and also changes of which it had sent one copy only: that
// copy is the one the server refused. A change of which several copies were
// sent may have been executed before the restart: it ends with an error that
// is ErrUnknownOutcome, as does one whose context ended without a reply.
//
// # Errors
//
// Test with errors.Is (ErrNotFound, ErrConflict, ErrBusy, …) and errors.As
// (*ConflictError, *FunctionError, *LibraryError, *Error).
package client

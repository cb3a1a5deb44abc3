package client

import (
	"errors"
	"fmt"

	"shredder/pktproc/wire"
)

// Outcomes to test for with errors.Is. All but the last four are statuses of
// the server (docs/wire-format.md says when each is given).
var (
	ErrNotFound    error = sentinel(wire.StatusNotFound)
	ErrConflict    error = sentinel(wire.StatusConflict) // also a *ConflictError
	ErrNotInteger  error = sentinel(wire.StatusNotInteger)
	ErrOverflow    error = sentinel(wire.StatusOverflow)
	ErrTooLarge    error = sentinel(wire.StatusTooLarge)
	ErrFull        error = sentinel(wire.StatusFull)
	ErrBusy        error = sentinel(wire.StatusBusy)
	ErrDenied      error = sentinel(wire.StatusDenied)
	ErrMalformed   error = sentinel(wire.StatusMalformed)
	ErrUnsupported error = sentinel(wire.StatusUnsupported)
	ErrNoFunction  error = sentinel(wire.StatusNoFunction)
	ErrException   error = sentinel(wire.StatusException) // also a *FunctionError
	ErrDeadline    error = sentinel(wire.StatusDeadline)
	ErrFuel        error = sentinel(wire.StatusFuel)
	ErrLimit       error = sentinel(wire.StatusLimit)
	ErrKilled      error = sentinel(wire.StatusKilled)
	ErrQuarantined error = sentinel(wire.StatusQuarantined)
	ErrNoTenant    error = sentinel(wire.StatusNoTenant)
	ErrBadLibrary  error = sentinel(wire.StatusBadLibrary) // also a *LibraryError
	ErrNoVersion   error = sentinel(wire.StatusNoVersion)
	ErrShutdown    error = sentinel(wire.StatusShutdown)
	ErrBadArgument error = sentinel(wire.StatusBadArgument)
	ErrAborted     error = sentinel(wire.StatusAborted)
	ErrUnavailable error = sentinel(wire.StatusUnavailable)
	ErrNotCompiled error = sentinel(wire.StatusNotCompiled)
	// ErrChanged: a large value was replaced again and again while it was pulled.
	ErrChanged error = sentinel(wire.StatusChanged)

	// ErrTimeout: no reply came in time.
	ErrTimeout = errors.New("no reply in time")
	// ErrUnknownOutcome: a change was sent, and may or may not have happened.
	ErrUnknownOutcome = errors.New("the outcome is unknown: the change may or may not have happened")
	// ErrClosed: the client was closed.
	ErrClosed = errors.New("the client is closed")
	// ErrBadReply: the server's reply does not follow the format.
	ErrBadReply = errors.New("the server's reply does not follow the format")
)

// sentinel is an error that equals every error of its status under errors.Is.
type sentinel wire.Status

func (s sentinel) Error() string { return describe(wire.Status(s)) }

// Error is a status other than OK that the server gave, or that the client
// found without asking.
type Error struct {
	Status wire.Status
	Reason string // the server's words, if it had any
}

func (e *Error) Error() string {
	if e.Reason == "" {
		return describe(e.Status)
	}
	return describe(e.Status) + ": " + e.Reason
}

// Is makes errors.Is(err, ErrNotFound) and its like work.
func (e *Error) Is(target error) bool {
	s, ok := target.(sentinel)
	return ok && wire.Status(s) == e.Status
}

// ConflictError is ErrConflict with the entry's current version, 0 if there is
// no entry.
type ConflictError struct{ Version uint64 }

func (e *ConflictError) Error() string {
	if e.Version == 0 {
		return "conflict: no such key"
	}
	return fmt.Sprintf("conflict: the version is %d", e.Version)
}

// Is makes the error an ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// FunctionError is ErrException: a function threw. Line and Column are where,
// from 1, or 0 if the server cannot say.
type FunctionError struct {
	Message      string
	Line, Column int
}

func (e *FunctionError) Error() string { return "function threw: " + e.Message + at(e.Line, e.Column) }

// Is makes the error an ErrException.
func (e *FunctionError) Is(target error) bool { return target == ErrException }

// LibraryError is ErrBadLibrary: the source does not load.
type LibraryError struct {
	Message      string
	Line, Column int
}

func (e *LibraryError) Error() string {
	return "library does not load: " + e.Message + at(e.Line, e.Column)
}

// Is makes the error an ErrBadLibrary.
func (e *LibraryError) Is(target error) bool { return target == ErrBadLibrary }

func at(line, column int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf(" (line %d, column %d)", line, column)
}

// unknownOutcome is ErrUnknownOutcome and says why no reply was seen.
type unknownOutcome struct{ cause error }

func (e *unknownOutcome) Error() string { return e.cause.Error() + "; " + ErrUnknownOutcome.Error() }

func (e *unknownOutcome) Unwrap() []error { return []error{ErrUnknownOutcome, e.cause} }

var descriptions = map[wire.Status]string{
	wire.StatusNotFound:    "not found",
	wire.StatusConflict:    "conflict",
	wire.StatusNotInteger:  "the value is no integer",
	wire.StatusOverflow:    "the integer would leave 64 bits",
	wire.StatusTooLarge:    "too large",
	wire.StatusFull:        "the tenant's memory is used up",
	wire.StatusBusy:        "busy: too many requests",
	wire.StatusStale:       "the request's record is gone",
	wire.StatusChanged:     "the value changed while it was read",
	wire.StatusNoSession:   "the server knows no such session",
	wire.StatusDenied:      "denied",
	wire.StatusMalformed:   "the server finds the request malformed",
	wire.StatusUnsupported: "the server does not support this",
	wire.StatusNoFunction:  "no such function",
	wire.StatusException:   "the function threw",
	wire.StatusDeadline:    "not done within the deadline",
	wire.StatusFuel:        "the function used up its fuel",
	wire.StatusLimit:       "the function reached a limit",
	wire.StatusKilled:      "killed",
	wire.StatusQuarantined: "the tenant's data is damaged and quarantined",
	wire.StatusNoTenant:    "no such tenant",
	wire.StatusBadLibrary:  "the library does not load",
	wire.StatusNoVersion:   "no such version",
	wire.StatusNoPush:      "the push is unknown or incomplete",
	wire.StatusShutdown:    "the server is going down",
	wire.StatusBadArgument: "bad argument",
	wire.StatusAborted:     "not done because an operation before it failed",
	wire.StatusUnavailable: "the server has no memory or session left: try later",
	wire.StatusNotCompiled: "compiled code cannot run this call, and the tenant is sandboxed",
}

func describe(s wire.Status) string {
	if d, ok := descriptions[s]; ok {
		return d
	}
	return "status " + s.String()
}

// opError is the error of a reply's operation, nil if it is OK.
func opError(op wire.Op) error {
	switch st := op.Status(); st {
	case wire.StatusOK:
		return nil
	case wire.StatusConflict:
		if op.Code() == wire.OpFn {
			return &Error{Status: st, Reason: string(op.Value())}
		}
		return &ConflictError{Version: op.Word(0)}
	case wire.StatusException:
		return &FunctionError{Message: string(op.Value()), Line: int(op.Word(0)), Column: int(op.Word(1))}
	case wire.StatusBadLibrary:
		return &LibraryError{Message: string(op.Value()), Line: int(op.Word(0)), Column: int(op.Word(1))}
	case wire.StatusNotCompiled:
		return &Error{Status: st, Reason: string(op.Value()) + at(int(op.Word(0)), int(op.Word(1)))}
	default:
		if len(op.Value()) == 0 {
			return errorOf(st)
		}
		return &Error{Status: st, Reason: string(op.Value())}
	}
}

// plainErrors are the errors without a reason, made once.
var plainErrors [256]*Error

func init() {
	for i := range plainErrors {
		plainErrors[i] = &Error{Status: wire.Status(i)}
	}
}

func errorOf(st wire.Status) error { return plainErrors[st] }

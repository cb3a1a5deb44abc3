// Command shredder is the command line of a Shredder server: keys, calls,
// libraries and logs of one tenant, over UDP, in pure Go. Everything runs on
// the main goroutine but for the client's receiver and import's writers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"shredder/client"
)

// Exit codes, documented in the help of the root command.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
	exitConflict = 4
	exitNoServer = 5
	exitThrew    = 6
	exitDenied   = 7
	exitUnknown  = 8
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program but for the process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitCode(err)
	a.printError(err, code)
	return code
}

// usageError is a mistake in the command line itself.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// exitCode is the process's code for an error. The order matters: a change
// without a reply is both unknown and a timeout.
func exitCode(err error) int {
	var usage usageError
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, client.ErrUnknownOutcome):
		return exitUnknown
	case errors.Is(err, client.ErrNotFound), errors.Is(err, client.ErrNoFunction), errors.Is(err, client.ErrNoVersion):
		return exitNotFound
	case errors.Is(err, client.ErrConflict):
		return exitConflict
	case errors.Is(err, client.ErrTimeout), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errNoServer):
		return exitNoServer
	case errors.Is(err, client.ErrException):
		return exitThrew
	case errors.Is(err, client.ErrDenied), errors.Is(err, client.ErrNoTenant):
		return exitDenied
	}
	return exitFailed
}

package resp

import (
	"strconv"
	"strings"

	"shredder/pktproc/wire"
)

// statusText says why a command was not executed. It runs on the lcore: constants only.
func statusText(st wire.Status) string {
	switch st {
	case wire.StatusBusy:
		return "BUSY Too many commands wait for a function of this tenant. FUNCTION KILL ends it."
	case wire.StatusDeadline:
		return "ERR The deadline passed while a function of this tenant was running"
	case wire.StatusKilled:
		return "ERR Killed by FUNCTION KILL, or the tenant was deleted"
	case wire.StatusShutdown:
		return "ERR The server is shutting down"
	case wire.StatusNoTenant:
		return "ERR The tenant has been deleted"
	case wire.StatusQuarantined:
		return "ERR The tenant's memory is damaged and closed"
	case wire.StatusFull:
		return "OOM command not allowed when used memory > 'maxmemory'."
	}
	return "ERR The command was not executed"
}

// callError says how a function ended that did not return.
func callError(d *deferred) string {
	text := strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ").Replace(string(d.text))
	switch d.status {
	case wire.StatusNoFunction:
		return "ERR Function not found"
	case wire.StatusException:
		if d.line > 0 {
			return "ERR " + text + " (line " + strconv.Itoa(d.line) + ", column " + strconv.Itoa(d.column) + ")"
		}
		return "ERR " + text
	case wire.StatusDenied:
		return "ERR Write commands are not allowed from read-only scripts."
	case wire.StatusFuel:
		return "ERR The function's fuel is spent"
	case wire.StatusDeadline:
		return "ERR The function's deadline has passed"
	case wire.StatusKilled:
		return "ERR Error running script: Script killed by user with FUNCTION KILL."
	case wire.StatusTooLarge:
		return "ERR The function's result is too large"
	case wire.StatusLimit, wire.StatusNotCompiled, wire.StatusBadLibrary, wire.StatusUnavailable, wire.StatusBadArgument:
		if text != "" {
			return "ERR " + text
		}
		return "ERR The function ended at a limit: " + strings.ToLower(d.status.String())
	}
	return statusText(d.status)
}

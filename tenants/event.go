package tenants

import "shredder/jit/wasm"

// EventKind says what an event asks of an lcore.
type EventKind uint8

const (
	// EventInstall hands Local over to its home lcore, which serves it from now on.
	EventInstall EventKind = iota + 1
	// EventRemove takes Local away from its home lcore: kill its suspended call,
	// end its waiting requests, drop its sessions and pushes, forget it, and only
	// then Ack. The shard is unmapped right after.
	EventRemove
	// EventVersion makes Version the active one of Local (nil: no functions any
	// more), with Runtime and Compiled ready to run it, or nil to be made when
	// first needed. Calls under way finish on what they began with. See
	// Engine.Activate and SettleCompiled.
	EventVersion
	// EventJobDone brings Job, which this lcore submitted, back with its outcome.
	// Its Local may have been removed meanwhile.
	EventJobDone
	// EventDirectory replaces the lcore's directory. It goes to every lcore.
	EventDirectory
	// EventVisit asks the home lcore to run Visit on Local and then to Ack. It
	// is how a control thread reads what only the lcore may touch; visits copy a
	// bounded amount and never wait.
	EventVisit
)

// Event is a message from a control thread to one lcore. Kind says which of
// the other fields are set.
type Event struct {
	Kind      EventKind
	Local     *Local
	Directory *Directory
	Version   *Version
	Runtime   Runtime
	Compiled  *wasm.Instance
	Job       *Job
	Visit     func(*Local)

	done chan struct{}
}

// Ack tells the control thread that waits for it that the event has been
// handled. It never blocks. Events that nobody waits for ignore it.
func (e Event) Ack() {
	if e.done != nil {
		close(e.done)
	}
}

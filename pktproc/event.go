package pktproc

import (
	"shredder/pktproc/wire"
	"shredder/tenants"
)

// What ends requests when their tenant is deleted, and when the server stops.
const (
	statusRemoved  = wire.StatusKilled
	statusShutdown = wire.StatusShutdown
)

// HandleEvent takes a message from a control thread.
func (p *Processor) HandleEvent(ev tenants.Event) {
	switch ev.Kind {
	case tenants.EventInstall:
		p.install(ev.Local)
	case tenants.EventRemove:
		p.remove(ev.Local)
	case tenants.EventVersion:
		p.activate(ev)
	case tenants.EventJobDone:
		p.jobDone(ev.Job)
	case tenants.EventDirectory:
		p.directory = ev.Directory
	case tenants.EventVisit:
		ev.Visit(ev.Local)
	}
	ev.Ack()
}

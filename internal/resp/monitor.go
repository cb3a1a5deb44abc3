package resp

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// What may wait for a connection that monitors before it is cut.
const (
	monitorLines = 4096
	monitorBytes = 4 << 20
)

// monitor is the feed of a connection that said MONITOR. Its goroutine sends what
// the tenant's other connections put there.
type monitor struct {
	c       *conn
	feed    chan []byte
	pending atomic.Int64 // bytes
	quit    chan struct{}
	done    chan struct{}
}

func (c *conn) monitorCommand(_ [][]byte) {
	c.w.Simple("OK")
	if c.monitor.Load() != nil {
		return
	}
	m := &monitor{c: c, feed: make(chan []byte, monitorLines), quit: make(chan struct{}), done: make(chan struct{})}
	c.monitor.Store(m)
	c.space.editMonitors(func(all []*monitor) []*monitor { return append(slices.Clone(all), m) })
	go m.send()
}

func (c *conn) stopMonitor() {
	m := c.monitor.Load()
	if m == nil {
		return
	}
	c.space.editMonitors(func(all []*monitor) []*monitor {
		return slices.DeleteFunc(slices.Clone(all), func(o *monitor) bool { return o == m })
	})
	close(m.quit)
	<-m.done // a write that does not end is cut by the janitor
	c.monitor.Store(nil)
}

// editMonitors replaces the list, which those who tell read without a lock.
func (sp *space) editMonitors(edit func([]*monitor) []*monitor) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	var all []*monitor
	if old := sp.monitors.Load(); old != nil {
		all = *old
	}
	if all = edit(all); len(all) == 0 {
		sp.monitors.Store(nil)
		return
	}
	sp.monitors.Store(&all)
}

func (m *monitor) send() {
	defer close(m.done)
	for {
		select {
		case <-m.quit:
			return
		case line := <-m.feed:
			m.pending.Add(-int64(len(line)))
			if !m.c.send(line) {
				m.c.nc.Close()
			}
		}
	}
}

// tell gives a command to those who monitor. Who does not keep up is cut.
func (c *conn) tell(all []*monitor, args [][]byte) {
	now := time.Now()
	line := fmt.Appendf(nil, "+%d.%06d [0 %s]", now.Unix(), now.Nanosecond()/1000, c.addr)
	for _, a := range args {
		line = append(line, ' ')
		line = appendQuoted(line, a)
	}
	line = append(line, "\r\n"...)
	for _, m := range all {
		if m.c == c {
			continue
		}
		if m.pending.Add(int64(len(line))) > monitorBytes {
			m.c.nc.Close()
			continue
		}
		select {
		case m.feed <- line:
		default:
			m.c.nc.Close()
		}
	}
}

package pktproc

// What one Housekeep does at most. It is called about once a millisecond under
// load and more often when idle.
const (
	houseTasks    = 512
	houseSessions = 64
	housePushes   = 64
	houseTenants  = 8
	houseSteps    = 32 // of one shard's maintenance
	houseRuns     = 32 // in a row for one shard while others wait
	housePublish  = 16
)

// Housekeep does a bounded amount of what nobody waits for: deadlines,
// timeouts, idle sessions, growth and expiry of shards, publishing counters.
func (p *Processor) Housekeep(now Clock) {
	p.beginTurn(now)
	p.sweepTasks(houseTasks)
	p.sweepSessions(houseSessions)
	p.pushes.sweep(p, housePushes)
	for range min(houseTenants, len(p.tenants)) {
		if !p.maintainOne() {
			continue
		}
		break // more to do there: go on with it next time
	}
	p.publisher.Publish(housePublish)
	if p.n.Frames != p.publishedFrames || now.MonoNanos-p.publishedAt > publishNanos {
		p.publishedFrames, p.publishedAt = p.n.Frames, now.MonoNanos
		p.published.publish(&p.n)
	}
}

// publishNanos is how old published counters get on an idle lcore.
const publishNanos = 10_000_000

// maintainOne looks after one tenant and moves on to the next, unless there is
// more to do: then it says so.
func (p *Processor) maintainOne() (more bool) {
	if p.maintain >= len(p.tenants) {
		p.maintain = 0
	}
	t := p.tenants[p.maintain]
	if t != nil {
		if t.results != nil {
			p.dropKept(t, func(e *keptResult) bool { return p.now.MonoNanos >= e.expires })
		}
		if !t.suspended() && !t.quarantined && t.shard.Maintain(p.now.UnixMillis, houseSteps) {
			if p.maintainRuns++; p.maintainRuns < houseRuns {
				return true
			}
		}
	}
	p.maintainRuns = 0
	p.maintain++
	return false
}

// Close ends every request that is under way with SHUTDOWN. The lcore's
// goroutine calls it last; the queue is flushed by its caller.
func (p *Processor) Close() {
	if p.closed {
		return
	}
	p.closed = true
	for _, t := range p.tenants {
		if t != nil {
			p.killTenant(t, statusShutdown)
		}
	}
	p.closeBatches()
	for w := p.workers.free; w != nil; w = w.next {
		w.co.Close()
	}
	p.workers.free = nil
	p.publisher.Publish(len(p.tenants) + 1)
	p.published.publish(&p.n)
}

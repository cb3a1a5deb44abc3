package dataplane

import "shredder/pktproc"

// waker is a queue whose Wait another thread can end.
type waker interface{ Wake() }

// Submit gives a batch to its tenant's home lcore. Any thread may call it; it
// never blocks. Once the lcores have ended, the batch is answered at once.
func (p *Plane) Submit(b *pktproc.Batch) {
	c := p.cores[b.Local.Home]
	b.Depart()
	c.batches.Put(b)
	c.rouse()
	if !p.ended.Load() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.proc.TakeBatches(c.batches.Take())
	c.proc.RunBatches(c.now())
}

// rouse ends the wait of an adaptive lcore that has nothing to do.
func (c *Core) rouse() {
	if c.asleep.Load() && c.asleep.CompareAndSwap(true, false) {
		c.waker.Wake()
	}
}

// doze waits for the queue, unless something has been posted meanwhile.
func (c *Core) doze(nanos int64) {
	c.queue.Flush()
	if c.waker == nil {
		c.queue.Wait(nanos)
		return
	}
	c.asleep.Store(true)
	if c.batches.Empty() && c.mailbox.empty() {
		c.queue.Wait(nanos)
	}
	c.asleep.Store(false)
}

// runBatches takes what was submitted and executes a turn's worth of what can
// run. It reports whether there was any.
func (c *Core) runBatches(now pktproc.Clock) bool {
	if newest := c.batches.Take(); newest != nil {
		c.proc.TakeBatches(newest)
	}
	if !c.proc.HasBatches() {
		return false
	}
	c.queue.Flush() // commands may be long: the replies so far must not wait for them
	c.proc.RunBatches(now)
	return true
}

package tenants

import (
	"sync/atomic"

	"shredder/internal/prefetch"
)

// Counter names one of a tenant's counters.
type Counter uint8

const (
	// What most requests count comes first: seven are a cache line with Local.nextTouched.
	CounterRequests      Counter = iota // datagrams and front-door commands received
	CounterOperations                   // operations executed
	CounterReads                        // GET, MULTI-GET, SCAN and TTL reads
	CounterMisses                       // reads of absent keys
	CounterWrites                       // SET, DELETE, INCR, CAS, TTL changes that were applied
	CounterBytesRead                    // value bytes read, by operations and by functions
	CounterBytesWritten                 // value bytes written
	CounterDuplicates                   // requests answered from a session's record
	CounterCalls                        // functions called, TRY included
	CounterExceptions                   // calls that ended with an exception
	CounterFuelEnded                    // calls that ended because their fuel was spent
	CounterDeadlineEnded                // calls and waiting requests that ran into the deadline
	CounterLimitEnded                   // calls that ended at another limit
	CounterKilled                       // calls that were killed
	CounterPreempted                    // calls that outran their first slice
	CounterFuel                         // fuel burnt
	CounterLookups                      // store lookups made by functions
	CounterBusy                         // requests refused because too many waited or came in this second
	CounterDenied                       // requests refused for role, address or secret
	CounterFull                         // operations refused because the quota or the budget was used up
	CounterSessions                     // sessions opened
	CounterLogRecords                   // log records written
	CounterCompiled                     // of the calls, those that ran on tier 1
	CounterDeopts                       // runs of tier 1 that were given up: types or guards did not hold
	CounterCompilations                 // compilations that calls asked for
	NumCounters
)

var counterNames = [NumCounters]string{
	"requests", "operations", "reads", "misses", "writes", "bytes_read", "bytes_written", "duplicates",
	"calls", "exceptions", "fuel_ended", "deadline_ended", "limit_ended", "killed", "preempted", "fuel",
	"lookups", "busy", "denied", "full", "sessions", "log_records", "compiled_calls", "deopts", "compilations",
}

// String returns the counter's name in statistics and metrics.
func (c Counter) String() string { return counterNames[c] }

// Counters are a tenant's counts since it was created. The home lcore adds to
// them as plain memory; others read what was last published.
type Counters [NumCounters]uint64

// published is the copy of a tenant's counters and memory that any thread may
// read. A copy apart from the counters costs the home lcore one plain add a
// count instead of one locked store.
type published struct {
	counters [NumCounters]atomic.Uint64
	memory   [numMemory]atomic.Uint64
}

// Publisher is an lcore's list of tenants whose counters have changed since
// they were published. It is the lcore's alone.
type Publisher struct{ head *Local }

// Touch marks l's counters as changed. Call it once for each request.
func (p *Publisher) Touch(l *Local) {
	if l.nextTouched == nil {
		p.push(l)
	}
}

func (p *Publisher) push(l *Local) {
	l.nextTouched = p.head
	if p.head == nil {
		l.nextTouched = l
	}
	p.head = l
}

// pop takes the first of the list, which must not be empty.
func (p *Publisher) pop() *Local {
	l := p.head
	if p.head = l.nextTouched; p.head == l {
		p.head = nil
	}
	l.nextTouched = nil
	return l
}

// Publish makes the counters of up to limit touched tenants visible to other
// threads and reports whether any are left. About 0.2 µs a tenant.
func (p *Publisher) Publish(limit int) bool {
	for ; p.head != nil && limit > 0; limit-- {
		p.pop().Publish()
	}
	return p.head != nil
}

// Forget takes l off the list, for a tenant that is being removed.
func (p *Publisher) Forget(l *Local) {
	if l.nextTouched == nil {
		return
	}
	var others *Local
	for p.head != nil {
		if o := p.pop(); o != l {
			o.nextTouched, others = others, o
		}
	}
	for o := others; o != nil; {
		next := o.nextTouched
		p.push(o)
		o = next
	}
}

// Publish copies the counters and the shard's memory use out for other threads.
// Only the home lcore calls it.
func (l *Local) Publish() {
	for i := range l.Counters {
		l.published.counters[i].Store(l.Counters[i])
	}
	for i, v := range l.memoryNow() {
		l.published.memory[i].Store(v)
	}
}

// Published returns the counters as they were last published. Any thread may call it.
func (l *Local) Published() (c Counters) {
	for i := range c {
		c[i] = l.published.counters[i].Load()
	}
	return c
}

// HotLine is the address of the line that a request writes of l, to be prefetched.
func (l *Local) HotLine() uintptr { return prefetch.Address(&l.nextTouched) }

package resp

import (
	"shredder/internal/prefetch"
	"shredder/internal/resp/keyspace"
	"shredder/internal/resp/proto"
	"shredder/pktproc"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

const (
	// itemsMax is how many commands one batch takes.
	itemsMax = 512
	// roomLeast is what every reply that has no value of the store in it fits.
	roomLeast = 1 << 10
	// longArgs is how many bytes of arguments make a command one that pauses: more
	// would be copied in one turn than a turn may.
	longArgs = 64 << 10
)

// item is one command of a batch.
type item struct {
	cmd     *command
	args    [][]byte // borrowed from the read buffer, or a transaction's copies
	size    int      // bytes of the arguments
	nanos   int64    // how long it took, 0 within one turn
	hash    uint64   // of its first key, if it has been looked for ahead
	spot    store.Spot
	spotted bool
	call    *preparedCall // of commands that call a function
}

// run is the commands of a connection that wait for the lcore or are there. It is
// the connection's, and the lcore's between Submit and Await.
type run struct {
	c     *conn
	w     *proto.Writer
	batch *pktproc.Batch
	items []item
	argv  [][]byte // what items' args are cut from
	at    int      // the next item
	begun int64    // when it was first given the lcore in a task, 0: it was not
	room  int      // bytes that its reply may take
	holds bool     // items refer to what is not to be held on to
	short bool     // there is not that much: the batch goes back for it
	db    keyspace.DB
	later []deferred
	ahead int // items before this one have been looked for ahead
	lines [aheadItems]uintptr
}

// aheadItems is for how many commands at a time the cache lines are asked for, so that
// their misses overlap.
const aheadItems = 64

func (r *run) init(c *conn) {
	r.c, r.w = c, &c.w
	r.batch = c.s.returns.NewBatch(r)
	r.room = roomLeast
}

// add puts a command at the end of the batch.
func (r *run) add(cmd *command, args [][]byte) {
	from := len(r.argv)
	r.argv = append(r.argv, args...)
	it := item{cmd: cmd, args: r.argv[from:len(r.argv):len(r.argv)]}
	for _, a := range args {
		it.size += len(a)
	}
	it.prepare()
	if it.call != nil || it.size > readGrown {
		r.holds = true
	}
	r.items = append(r.items, it)
	if len(r.items) == itemsMax {
		r.flush()
	}
}

// flush has the lcore execute what was added, and returns when all of it is answered.
func (r *run) flush() {
	if len(r.items) == 0 {
		return
	}
	for r.at < len(r.items) {
		r.batch.Local = r.c.local
		r.batch.Count = len(r.items) - r.at
		r.w.Grow(r.room)
		r.c.s.cfg.Plane.Submit(r.batch)
		r.batch.Await()
		r.settle()
		if len(r.w.Bytes()) >= outFull && r.at < len(r.items) && !r.c.flush() {
			r.c.quitting = true // nobody is left to answer
			break
		}
	}
	r.c.record(r.items[:r.at])
	if r.holds {
		clear(r.items)
		clear(r.argv)
		r.holds = false
	}
	r.items, r.argv, r.at, r.ahead = r.items[:0], r.argv[:0], 0, 0
}

// turn takes over what holds for one turn.
func (r *run) turn(x *pktproc.Exec) { r.db.Shard, r.db.NowMillis = x.Shard(), x.NowMillis() }

// Run executes commands on the lcore.
func (r *run) Run(x *pktproc.Exec) pktproc.BatchStep {
	r.turn(x)
	for r.at < len(r.items) {
		before := len(r.w.Bytes())
		if r.w.Room() < r.room {
			return pktproc.BatchDone
		}
		if r.at >= r.ahead {
			r.lookAhead()
		}
		it := &r.items[r.at]
		if r.begun == 0 && x.Held() {
			r.begun = x.NowNanos()
		}
		if st := r.execute(x, it); r.short {
			r.short = false
			return pktproc.BatchDone
		} else if st != pktproc.BatchDone {
			return st
		}
		if r.begun != 0 {
			it.nanos, r.begun = x.NowNanos()-r.begun, 0
		}
		r.at++
		r.room = roomLeast
		if !x.Spend(it.size + len(r.w.Bytes()) - before) {
			return pktproc.BatchTurn
		}
	}
	return pktproc.BatchDone
}

// lookAhead asks for the lines of the next commands' first keys: of their buckets, then
// of their entries. Where an entry has moved since, it is looked up anew.
func (r *run) lookAhead() {
	next := r.items[r.at:min(r.at+aheadItems, len(r.items))]
	r.ahead = r.at + len(next)
	if len(next) < 2 {
		return
	}
	shard, n := r.db.Shard, 0
	for i := range next {
		it := &next[i]
		if it.spotted = it.cmd.data != nil && it.cmd.first == 1; it.spotted {
			it.hash = shard.Hash(store.BytesKey(it.args[1]))
			r.lines[n] = shard.BucketLine(it.hash)
			n++
		}
	}
	prefetch.Lines(r.lines[:n])
	n = 0
	for i := range next {
		if it := &next[i]; it.spotted {
			it.spot, r.lines[n] = shard.FindSpot(it.hash)
			n++
		}
	}
	prefetch.Blocks(r.lines[:n])
}

// execute executes one command, or says what it has to wait for.
func (r *run) execute(x *pktproc.Exec, it *item) pktproc.BatchStep {
	cmd := it.cmd
	writes := cmd.flags&keyspace.Write != 0
	switch {
	case writes && !x.MayWrite():
		return pktproc.BatchWait
	case cmd.data != nil:
		if st := r.data(x, it); st != pktproc.BatchDone {
			return st
		}
	case cmd.remote != nil:
		if st := cmd.remote(r, x, it); st != pktproc.BatchDone {
			return st
		}
	default: // of a transaction: the connection answers it
		r.later = append(r.later, deferred{at: len(r.w.Bytes()), item: it})
	}
	c := &x.Local().Counters
	c[tenants.CounterOperations]++
	if writes {
		c[tenants.CounterWrites]++
	} else {
		c[tenants.CounterReads]++
	}
	return pktproc.BatchDone
}

// Fail answers the next command with why it is not executed.
func (r *run) Fail(why wire.Status) bool {
	if r.at < len(r.items) {
		if r.c.multi.begun {
			r.failRest(why)
		} else {
			r.w.Error(statusText(why))
		}
		r.at, r.begun = r.at+1, 0
	}
	return r.at < len(r.items)
}

// flushAll executes FLUSHDB and FLUSHALL.
func (r *run) flushAll(x *pktproc.Exec, it *item) pktproc.BatchStep {
	if len(it.args) > 2 || len(it.args) == 2 && !is(it.args[1], "ASYNC") && !is(it.args[1], "SYNC") {
		r.w.Error(textSyntax)
		return pktproc.BatchDone
	}
	x.Shard().Flush()
	r.w.Simple("OK")
	return pktproc.BatchDone
}

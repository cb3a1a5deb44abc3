package resp

import (
	"shredder/internal/resp/keyspace"
	"shredder/pktproc"
	"shredder/pktproc/wire"
	"shredder/store"
)

// transaction is what stands between MULTI and EXEC, and what is watched.
type transaction struct {
	open    bool
	broken  bool // a command was refused: EXEC will be too
	queue   []item
	size    int  // bytes of all arguments
	calls   bool // there is a function call in it
	watched []watched

	// While the lcore executes it.
	at    int
	begun bool
	spent int // bytes since it last paused
}

// watched is a key and what the store said about it.
type watched struct {
	key     []byte
	version uint64 // 0: absent
	expires int64
}

// queueMax bounds what a transaction may hold: it is executed as one.
const queueMax = 64 << 10

// heavyQueue is how many commands go without a look at the turn's budget.
const heavyQueue = 64

func (c *conn) multiCommand(_ [][]byte) {
	if c.multi.open {
		c.w.Error("ERR MULTI calls can not be nested")
		return
	}
	c.multi.open, c.multi.broken = true, false
	c.w.Simple("OK")
}

// enqueue keeps a command for EXEC. The arguments are copied: the read buffer moves on.
func (c *conn) enqueue(cmd *command, args [][]byte) {
	m := &c.multi
	switch {
	case cmd.noMulti:
		c.reject("ERR Command not allowed inside a transaction")
		return
	case len(m.queue) == queueMax:
		c.reject("ERR Too many commands in a transaction")
		return
	}
	copies := make([][]byte, len(args))
	total := 0
	for _, a := range args {
		total += len(a)
	}
	room := make([]byte, 0, total)
	for i, a := range args {
		room = append(room, a...)
		copies[i] = room[len(room)-len(a) : len(room) : len(room)]
	}
	it := item{cmd: cmd, args: copies, size: total}
	it.prepare()
	m.queue = append(m.queue, it)
	m.size += total
	m.calls = m.calls || cmd.call
	c.run.flush()
	c.w.Simple("QUEUED")
}

func (c *conn) discardCommand(_ [][]byte) {
	if !c.multi.open {
		c.w.Error("ERR DISCARD without MULTI")
		return
	}
	c.multi = transaction{}
	c.w.Simple("OK")
}

func (c *conn) execCommand(args [][]byte) {
	switch {
	case !c.multi.open:
		c.w.Error("ERR EXEC without MULTI")
		return
	case c.multi.broken:
		c.w.Error("EXECABORT Transaction discarded because of previous errors.")
	default:
		c.multi.open = false // commands of it that the connection answers are executed
		c.run.add(&execOnLcore, args)
		c.run.flush()
	}
	c.multi = transaction{}
}

func (c *conn) watchCommand(args [][]byte) {
	if c.multi.open {
		c.w.Error("ERR WATCH inside MULTI is not allowed")
		return
	}
	for _, key := range args[1:] {
		c.multi.watched = append(c.multi.watched, watched{key: append([]byte(nil), key...)})
	}
	c.run.add(&watchOnLcore, args)
	c.run.flush()
}

func (c *conn) unwatchCommand(_ [][]byte) {
	c.unwatch()
	c.w.Simple("OK")
}

func (c *conn) unwatch() { c.multi.watched = nil }

// What EXEC and WATCH do on the lcore.
var (
	execOnLcore  = command{name: "exec", flags: keyspace.Write, remote: (*run).exec}
	watchOnLcore = command{name: "watch", remote: (*run).watch}
)

// watch reads what the keys that WATCH named last hold now.
func (r *run) watch(x *pktproc.Exec, it *item) pktproc.BatchStep {
	all := r.c.multi.watched
	for i := len(all) - len(it.args) + 1; i < len(all); i++ {
		all[i].version, all[i].expires = look(x, all[i].key)
	}
	r.w.Simple("OK")
	return pktproc.BatchDone
}

func look(x *pktproc.Exec, key []byte) (version uint64, expires int64) {
	e, res := x.Shard().Get(store.BytesKey(key), x.NowMillis())
	if res != store.OK {
		return 0, 0
	}
	return e.Version, e.ExpireMillis
}

// exec executes the transaction. Nothing of the tenant comes in between, although a
// long one gives other tenants their turns: what waits for it waits for all of it.
func (r *run) exec(x *pktproc.Exec, _ *item) pktproc.BatchStep {
	m := &r.c.multi
	if !m.begun {
		for i := range m.watched {
			w := &m.watched[i]
			if version, expires := look(x, w.key); version != w.version || expires != w.expires {
				r.w.NullArray()
				return pktproc.BatchDone
			}
		}
		if (m.calls || len(m.queue) > heavyQueue || m.size > longArgs/2) && !x.Long() {
			return pktproc.BatchLong
		}
		m.begun = true
		r.w.Array(len(m.queue))
	}
	x.Exclude()
	for m.at < len(m.queue) {
		if m.spent >= longArgs/2 {
			if !x.Long() {
				return pktproc.BatchLong
			}
			m.spent = 0
			if !x.Pause() {
				r.failRest(x.Stopped())
				return pktproc.BatchDone
			}
			r.turn(x)
		}
		r.w.Grow(roomLeast)
		it, before := &m.queue[m.at], len(r.w.Bytes())
		if st := r.execute(x, it); st != pktproc.BatchDone {
			return st
		}
		m.at++
		m.spent += it.size + len(r.w.Bytes()) - before
	}
	return pktproc.BatchDone
}

// failRest answers what is left of a transaction that was ended from outside.
func (r *run) failRest(why wire.Status) {
	for m := &r.c.multi; m.at < len(m.queue); m.at++ {
		r.w.Error(statusText(why))
	}
}

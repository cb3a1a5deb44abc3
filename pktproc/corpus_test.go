package pktproc

import (
	"errors"
	"fmt"
	"testing"

	"shredder/jit"
	"shredder/jit/corpus"
	"shredder/pktproc/wire"
	"shredder/store"
	"shredder/tenants"
)

// corpusTarget runs the corpus as datagrams on a tenant whose functions tier up
// between two calls.
type corpusTarget struct {
	*tierRig
	lines       uint64 // of the tenant's log, seen
	notCompiled int
}

func (c *corpusTarget) Set(k store.Key, v []byte) {
	if _, r := c.l.Shard.Set(k, v, store.SetOptions{}, c.now.UnixMillis); r != store.OK {
		c.tb.Fatal(r)
	}
}

func (c *corpusTarget) Get(k store.Key) ([]byte, bool) {
	e, r := c.l.Shard.Get(k, c.now.UnixMillis)
	return e.Value, r == store.OK
}

// ends are jit's names for statuses of calls.
var ends = map[wire.Status]jit.Status{wire.StatusOK: jit.OK, wire.StatusException: jit.Exception, wire.StatusNoFunction: jit.NoFunction,
	wire.StatusFuel: jit.Fuel, wire.StatusLimit: jit.Limit, wire.StatusTooLarge: jit.TooLarge, wire.StatusFull: jit.Full, wire.StatusBadArgument: jit.BadArgument}

func (c *corpusTarget) Call(function string, args []byte) (out jit.Outcome, result []byte, log []string) {
	op := c.call(0, opCall(function, args))[0]
	c.settled()
	end, known := ends[op.Status()]
	if !known {
		if op.Status() == wire.StatusNotCompiled {
			c.notCompiled++
		}
		c.tb.Logf("%s: %v %s", function, op.Status(), op.Value())
		end = jit.Deopt
	}
	result = op.Value()
	if op.Flags()&wire.OpFlagPartial != 0 {
		result = c.p.tenantByID(c.l.ID).results.data
	}
	for {
		rec, ok := c.l.Log.At(max(c.lines, c.l.Log.First()))
		if !ok {
			break
		}
		log = append(log, fmt.Sprint(rec.Level, " ", string(rec.Text)))
		c.lines = rec.Seq + 1
	}
	return jit.Outcome{Status: end, Message: op.Value(), Line: int(op.Word(0)), Column: int(op.Word(1))}, result, log
}

// TestCorpusOnTheServer runs the corpus for a trusted tenant and, where all of a
// library compiles, for a sandboxed one: the same results and stores.
func TestCorpusOnTheServer(t *testing.T) {
	programs, err := corpus.Load("../scripts/functions")
	if err != nil {
		t.Fatal(err)
	}
	ran := map[tenants.Trust]int{}
	compiled := uint64(0)
	for _, p := range programs {
		if p.Name == "request" { // it knows the id of its own bed
			continue
		}
		for _, trust := range []tenants.Trust{tenants.TrustTrusted, tenants.TrustSandboxed} {
			t.Run(fmt.Sprint(p.Name, "/", trust), func(t *testing.T) {
				r := newTierRig(t, tenants.TrustTrusted, string(p.Source))
				if err := r.registry.SetTrust("one", trust); err != nil {
					if le := (*tenants.LibraryError)(nil); errors.As(err, &le) {
						t.Skipf("%d:%d %s", le.Line, le.Column, le.Message)
					}
					t.Fatal(err)
				}
				r.pump()
				r.now.UnixMillis = 1_700_000_000_000 // which the corpus knows
				c := &corpusTarget{tierRig: r}
				err := p.Run(c)
				compiled += r.l.Counters[tenants.CounterCompiled]
				if trust == tenants.TrustSandboxed && r.l.Counters[tenants.CounterCalls] != r.l.Counters[tenants.CounterCompiled] {
					t.Error("a sandboxed tenant's call ran on tier 0")
				}
				if c.notCompiled > 0 {
					t.Skip("the functions compile, not for all of the calls: ", err)
				}
				if err != nil {
					t.Error(err)
				}
				ran[trust]++
			})
		}
	}
	t.Logf("%v programs, %d compiled calls", ran, compiled)
	if ran[tenants.TrustTrusted] != len(programs)-1 || ran[tenants.TrustSandboxed] < 10 || compiled < 50 {
		t.Errorf("%v of %d programs, %d compiled calls", ran, len(programs), compiled)
	}
}

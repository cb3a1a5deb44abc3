package suite

import (
	"fmt"
	"os"
	"time"

	"shredder/bench/engine"
	"shredder/bench/load"
	"shredder/bench/peer"
	"shredder/jit"
)

// oneGet is what the tenants of the remote rows deploy.
const oneGet = `export function empty() {}
export function first(key) { return store.get(key) }
`

// tierPatience is how long a server may take to compile a function that is called.
const tierPatience = 5 * time.Second

// jitRemote measures compiled calls over the network: beside GETs of the same
// values, and of 10,000 tenants in turn.
func (l *lab) jitRemote() error {
	file := l.path("one-get.js")
	if err := os.WriteFile(file, []byte(oneGet), 0o644); err != nil {
		return err
	}
	tenants := []map[string]any{l.withLibrary("empty", emptyTenant, "16MiB", file)}
	for i := range l.many() {
		tenants = append(tenants, l.withLibrary(fmt.Sprintf("t%05d", i), firstOfMany+uint32(i), "1MiB", file))
	}
	b, err := l.ours(l.memifLink("jit"), tenants, peer.Settings{"runtimes": l.many() + 10})
	if err != nil {
		return err
	}
	if err := l.remoteGet(b); err != nil {
		return err
	}
	row, err := l.inTurn(b, "tenants-compiled-10000")
	if err != nil {
		return err
	}
	for _, tenant := range []uint32{emptyTenant, firstOfMany, firstOfMany + uint32(l.many()) - 1} {
		why, err := l.compiledBy(b, tenant, "empty", nil)
		if err != nil {
			return err
		}
		if why != "" {
			row.Invalid = why
		}
	}
	l.add(row)
	return nil
}

// remoteGet compares calls of a function of one get with GETs of the same keys.
func (l *lab) remoteGet(b *bench) error {
	l.Log("calls of one get over %s", b.where)
	keys := load.Config{Tenant: emptyTenant, Keys: 1_000, ValueSize: valueSize}
	gets, calls := keys, keys
	gets.Mix = []load.Share{{Kind: load.Get, Weight: 1}}
	calls.Mix, calls.Function, calls.KeyArg = []load.Share{{Kind: load.Call, Weight: 1}}, "first", true
	get, err := b.ourGenerator(gets)
	if err != nil {
		return err
	}
	call, err := b.ourGenerator(calls)
	if err != nil {
		return err
	}
	if err := l.warm(b, call, 1); err != nil {
		return err
	}
	why, err := l.compiledBy(b, emptyTenant, "first", engine.Ints(1))
	if err != nil {
		return err
	}
	busy := shredderBusy(b.ours)
	c, err := l.compare(
		side{"call", b.ours.Process, flood(call, 1, busy, false)},
		side{"get", b.ours.Process, flood(get, 1, busy, false)}, flooded)
	if err != nil {
		return err
	}
	row := c.row("remote-get", "ops/s", b.where, rate)
	row.Note = fmt.Sprintf("a function that returns store.get(key), beside GET; %d keys of %d bytes", keys.Keys, valueSize)
	if why != "" {
		row.Invalid = why
	}
	l.add(row)
	return nil
}

// compiledBy says why a tenant's calls do not count as compiled: "" if their
// receipts say that tier 1 runs them.
func (l *lab) compiledBy(b *bench, tenant uint32, function string, args []byte) (why string, err error) {
	s := side{name: "receipts", process: b.ours.Process}
	err = s.with(func() error {
		for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			tier, err := load.CallTier(b.ourQueue, clientEnd, b.ourEnd, tenant, function, args)
			if err != nil {
				return err
			}
			if tier == jit.TierCompiled {
				why = ""
				return nil
			}
			if why = fmt.Sprintf("receipts of %s say tier %d: the call is not compiled", function, tier); time.Since(begin) > tierPatience {
				return nil
			}
		}
	})
	return why, err
}

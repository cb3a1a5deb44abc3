package interp

import (
	"fmt"
	"math/rand"
	"os"
	"testing"

	"shredder/jit"
	"shredder/store"
)

// soak says that the proofs run at the size of their claim instead of the size
// of a test run: SOAK=1 go test -run 'Atomic|Canary' -timeout 60m ./jit/interp
func soak() bool { return os.Getenv("SOAK") == "1" }

// groupSize keys are written by every call of the library below, all to the
// same round; group 9 is deleted and made again.
const groupSize = 10

// atomicLibrary writes several keys per call in different ways, with fuel burnt
// in between, so that an end can fall between any two writes. keep counts calls
// in a module binding: such a call makes the runtime dirty when it is killed.
const atomicLibrary = `
let calls = 0;
export function write(round) {
  for (let i = 0; i < 8; i++) { store.set('g' + i, round); pause(i & 3) }
  store.incr('n'); pause(2);
  if (store.delete('gone')) pause(1);
  store.set('gone', round, {ttl: 1000000});
  return store.text('g0') + ' ' + store.text('g7') + ' ' + store.text('gone');
}
function pause(n) { for (let i = 0; i < n; i++); }
export function throwing(round, at) {
  for (let i = 0; i < 8; i++) { if (i === at) throw new Error('at ' + i); store.set('g' + i, round) }
  store.incr('n'); store.set('gone', round);
}
export function caught(round) {
  try { return write(round) } catch (e) { return 'caught' } finally { store.set('g3', 'finally') ; store.set('g3', round) }
}
export function keep(round) { calls++; write(round); return calls }
`

// How a call is ended.
const (
	endNot       = iota // it runs to its end
	endKill             // Yield says stop at a random slice
	endFuel             // its fuel is a random part of what it needs
	endPreempted        // a straight run whose first slice is too short
	endWatchdog         // interrupted at a random slice, as from another thread
	endThrow            // an exception between two writes
	endWrites           // more keys than the overlay may hold
	endDropped          // it ends OK and the caller discards it, as TRY does
	endCount
)

// atomicBed is a tenant with the model of its data: every key holds committed.
type atomicBed struct {
	*bed
	rng       *rand.Rand
	committed int   // round of the last commit
	commits   int   // how many calls committed
	kept      int   // calls of keep since the runtime was made
	full      int64 // fuel of a whole write
	lastFuel  uint64
	ends      [endCount]int
}

func newAtomicBed(t testing.TB, seed int64) *atomicBed {
	b := &atomicBed{bed: newBed(t, atomicLibrary), rng: rand.New(rand.NewSource(seed))}
	b.commitRound("write")
	b.full = int64(b.lastFuel)
	return b
}

// commitRound runs a whole call outside the counts.
func (b *atomicBed) commitRound(function string) {
	out, inv := b.call(function, always, b.committed+1)
	if out.Status != jit.OK {
		b.t.Errorf("%v %s", out.Status, out.Message)
	}
	b.lastFuel = inv.Cost.Fuel
	b.committed++
	b.commits++
}

// check reads every key as another request would: all of one round.
func (b *atomicBed) check(when string) {
	want := fmt.Sprint(b.committed)
	for _, key := range groupKeys {
		if got, _ := b.get(store.BytesKey(key)); got != want {
			b.t.Errorf("%s: %s is %q in round %s", when, key, got, want)
		}
	}
	if got, _ := b.get(store.BytesKey([]byte("n"))); got != fmt.Sprint(b.commits) {
		b.t.Errorf("%s: n is %s after %d commits", when, got, b.commits)
	}
	if n := b.shard.Len(); n != groupSize {
		b.t.Errorf("%s: %d keys", when, n)
	}
}

var groupKeys = func() (keys [][]byte) {
	for i := range 8 {
		keys = append(keys, []byte(fmt.Sprint("g", i)))
	}
	return append(keys, []byte("gone"))
}()

// step runs one call that is ended in a random way at a random point, with
// random slices, and checks the data at random suspensions and at the end.
func (b *atomicBed) step(suspend func() bool) {
	end := b.rng.Intn(endCount)
	function := [...]string{"write", "write", "write", "caught", "keep"}[b.rng.Intn(5)]
	round := b.committed + 1
	limits := b.limits
	limits.Slice = 1 + b.rng.Int63n(12)
	args := encode(round)
	at, turn, stop := 0, 0, false
	switch end {
	case endKill, endWatchdog:
		at = 1 + b.rng.Intn(int(b.full/limits.Slice)+1)
	case endFuel:
		limits.Fuel = b.rng.Int63n(b.full)
	case endThrow:
		function, args = "throwing", encode(round, b.rng.Intn(8))
	case endWrites:
		limits.OverlayWrites = 1 + b.rng.Intn(groupSize-1)
	}
	if b.r.Dirty() {
		b.kept = 0
	}
	o := b.shard.Overlay()
	o.Begin(testNow, store.OverlayLimits{Writes: limits.OverlayWrites, Bytes: limits.OverlayBytes})
	inv := &jit.Invocation{Function: []byte(function), Args: args, Overlay: o, Limits: &limits, NowMillis: testNow}
	inv.Yield = func() bool {
		turn++
		if b.rng.Intn(8) == 0 {
			b.check("suspended")
		}
		if turn == at && end == endWatchdog {
			gen, running := b.r.Generation()
			if !running || !b.r.InterruptRun(gen) {
				b.t.Fatal("nothing to interrupt")
			}
		}
		stop = turn == at && end == endKill
		return suspend() && !stop
	}
	if end == endPreempted {
		inv.Yield = nil
	}
	out := b.r.Invoke(inv)
	b.settle(end, function, out, inv)
}

// settle commits or discards as a caller does, and holds the outcome against
// what was done to the call.
func (b *atomicBed) settle(end int, function string, out jit.Outcome, inv *jit.Invocation) {
	b.ends[end]++
	want := map[int]jit.Status{endFuel: jit.Fuel, endPreempted: jit.Preempted, endThrow: jit.Exception, endWrites: jit.Limit}
	status, forced := want[end]
	if !forced && out.Status != jit.OK && !(out.Status == jit.Killed && (end == endKill || end == endWatchdog)) || forced && out.Status != status {
		b.t.Errorf("end %d of %s: %v %s", end, function, out.Status, out.Message)
	}
	o := inv.Overlay
	switch {
	case out.Status != jit.OK:
		o.Discard()
		if function == "keep" && !b.r.Dirty() {
			b.t.Fatal("keep was dropped and its runtime is not dirty")
		}
	case end == endDropped:
		o.Discard()
		b.r.Discarded()
	default:
		if res := o.Commit(); res != store.OK {
			b.t.Errorf("commit: %v", res)
		}
		b.committed++
		b.commits++
		got, round := shown(inv.Result), b.committed
		switch {
		case function == "keep":
			b.kept++
			if got != fmt.Sprint(b.kept) {
				b.t.Errorf("the binding counts %s calls, not %d", got, b.kept)
			}
		case got != fmt.Sprintf("\"%d %d %d\"", round, round, round):
			b.t.Errorf("a call in round %d reads %s", round, got)
		}
	}
	b.check("after the call")
}

// TestAtomicUnderKills ends calls that write several keys at random points and
// in every way there is; no reader, during a call or after, ever sees a part of
// one. Four tenants run in coroutines of one thread, switched between at random
// suspensions. 50,000 calls; 10⁶ with SOAK=1.
func TestAtomicUnderKills(t *testing.T) {
	calls := 50_000
	if soak() {
		calls = 1_000_000
	}
	rng := rand.New(rand.NewSource(11))
	const tenants = 4
	var beds [tenants]*atomicBed
	var coroutines [tenants]*jit.Coroutine
	for i := range beds {
		beds[i] = newAtomicBed(t, int64(i)+100)
		coroutines[i] = jit.NewCoroutine()
		defer coroutines[i].Close()
	}
	for done := 0; done < calls && !t.Failed(); {
		i := rng.Intn(tenants)
		b, c := beds[i], coroutines[i]
		if c.Idle() {
			c.Start(func(yield func() bool) {
				b.step(func() bool { return rng.Intn(4) > 0 || yield() })
			})
		}
		if c.Resume() {
			done++
		}
	}
	var ends [endCount]int
	for i, b := range beds {
		for !coroutines[i].Resume() {
		}
		for e, n := range b.ends {
			ends[e] += n
		}
	}
	t.Logf("calls by end: whole %d, killed %d, fuel %d, preempted %d, watchdog %d, thrown %d, writes %d, dropped %d",
		ends[0], ends[1], ends[2], ends[3], ends[4], ends[5], ends[6], ends[7])
	for e, n := range ends {
		if n < calls/endCount/2 {
			t.Errorf("only %d calls of end %d", n, e)
		}
	}
}

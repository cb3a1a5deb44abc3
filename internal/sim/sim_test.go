package sim

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"testing"

	"shredder/dataplane/nic/mem"
	"shredder/pktproc/wire"
)

// TestSeeds runs many small simulations. SOAK_SEEDS says how many (300),
// SOAK_SEED runs one alone, as a failure's message says.
func TestSeeds(t *testing.T) {
	first, count := uint64(1), uint64(300)
	if testing.Short() {
		count = 30
	}
	if s := os.Getenv("SOAK_SEEDS"); s != "" {
		count, _ = strconv.ParseUint(s, 10, 64)
	}
	if s := os.Getenv("SOAK_SEED"); s != "" {
		first, _ = strconv.ParseUint(s, 10, 64)
		count = 1
	}
	total := Report{Statuses: map[wire.Status]int{}}
	for seed := first; seed < first+count; seed++ {
		r, err := Run(seed, shape(seed))
		if err != nil {
			t.Fatalf("%v\nagain: SOAK_SEED=%d go test -run TestSeeds ./internal/sim", err, seed)
		}
		total.Answered += r.Answered
		total.Retries += r.Retries
		total.Forwarded += r.Forwarded
		for st, n := range r.Statuses {
			total.Statuses[st] += n
		}
	}
	t.Logf("%d seeds: %d requests, %d retries, %d frames handed over, statuses %v", count, total.Answered, total.Retries, total.Forwarded, total.Statuses)
	if count < 30 {
		return
	}
	if total.Forwarded == 0 || total.Retries == 0 {
		t.Error("no frame was handed over or no request retried: the simulation tests less than it says")
	}
	for _, st := range []wire.Status{wire.StatusOK, wire.StatusNotFound, wire.StatusConflict, wire.StatusNotInteger,
		wire.StatusException, wire.StatusAborted, wire.StatusKilled} {
		if total.Statuses[st] == 0 {
			t.Errorf("status %v was never seen", st)
		}
	}
}

// shape varies the size of a run and the network with the seed.
func shape(seed uint64) Options {
	o := Small()
	o.Lcores = 1 + int(seed%3)
	o.Tenants = 1 + int(seed/3%3)
	o.Clients = 1 + int(seed/9%4)
	if seed%5 == 0 {
		o.Faults = mem.Faults{}
	}
	return o
}

// TestSameSeedSameRun: what cannot be repeated cannot be debugged.
func TestSameSeedSameRun(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		a, err := Run(seed, shape(seed))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Run(seed, shape(seed))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d ran in two ways:\n%s\n%s", seed, fmt.Sprint(a), fmt.Sprint(b))
		}
	}
}

package wasm

import (
	"math/rand/v2"
	"testing"

	"shredder/bench/team"
)

// leastTasks of the twenty that must compile as they were written.
const leastTasks = 17

func TestTeamFunctionsOnBothTiers(t *testing.T) {
	b := newTiers(t, team.Source)
	team.Fill(b.Set, rand.New(rand.NewPCG(7, 7)))
	for _, c := range team.Calls() {
		b.Call(c.Function, c.Args)
	}
	compiled := 0
	for _, task := range team.Tasks {
		refused := 0
		for _, f := range task.Functions {
			if why := b.refusals[f]; why != "" {
				t.Logf("%s: %s: %s", task.Name, f, why)
				refused++
			}
		}
		if refused == 0 {
			compiled++
		}
	}
	t.Logf("%d of %d tasks compile; %d calls ran compiled, %d did not", compiled, len(team.Tasks), b.ran[1], b.ran[0])
	if compiled < leastTasks {
		t.Error("too few")
	}
}

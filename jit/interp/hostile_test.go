package interp

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"shredder/jit"
	"shredder/store"
)

var update = flag.Bool("update", false, "rewrite the table of docs/security.md from this run")

const (
	hostileDeadline = 50 * time.Millisecond
	hostileInTime   = 100 * time.Millisecond // twice the deadline
	hostileNever    = time.Minute
	hostileMemory   = 4 << 30 // address space of a child, in bytes
	hostileEnv      = "SHREDDER_HOSTILE"
)

type hostile struct{ name, source string }

var repeated = regexp.MustCompile(`@\(((?:[^@])+?),(\d+)\)`)

func loadHostile(t testing.TB) []hostile {
	text, err := os.ReadFile("testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []hostile
	for _, part := range strings.Split(string(text), "\n-- ")[1:] {
		name, source, _ := strings.Cut(part, "\n")
		source = repeated.ReplaceAllStringFunc(source, func(m string) string {
			sub := repeated.FindStringSubmatch(m)
			n, _ := strconv.Atoi(sub[2])
			return strings.Repeat(sub[1], n)
		})
		all = append(all, hostile{name, source})
	}
	return all
}

// runHostile is the child: one program under the default limits, with the
// deadline kept as a server keeps it, by Yield and by a watchdog.
func runHostile(source string) string {
	limits := jit.DefaultLimits()
	p, err := Compile([]byte(source), &limits)
	if err != nil {
		return "refused"
	}
	shard, err := store.Open(store.Config{Quota: 64 << 20, Seed: 1, Budget: testBudget()})
	if err != nil {
		return err.Error()
	}
	defer shard.Close()
	shard.Set(store.BytesKey([]byte("v")), make([]byte, 64), store.SetOptions{}, testNow)
	r, err := NewRuntime(p, shard, RuntimeConfig{Limits: &limits})
	if err != nil {
		return "refused"
	}
	o := shard.Overlay()
	o.Begin(testNow, store.OverlayLimits{Writes: limits.OverlayWrites, Bytes: limits.OverlayBytes})
	start := time.Now()
	inv := &jit.Invocation{Function: []byte("f"), Overlay: o, Limits: &limits, NowMillis: testNow,
		Yield: func() bool { return time.Since(start) < hostileDeadline }}
	timer := time.AfterFunc(hostileDeadline, func() {
		if gen, running := r.Generation(); running {
			r.InterruptRun(gen)
		}
	})
	defer timer.Stop()
	out := r.Invoke(inv)
	o.Discard()
	// The runtime must be of use afterwards.
	if r.Dirty() {
		if err := r.Reset(); err != nil {
			return "unusable after " + out.Status.String()
		}
	}
	return out.Status.String()
}

func TestMain(m *testing.M) {
	name := os.Getenv(hostileEnv)
	if name == "" {
		os.Exit(m.Run())
	}
	debug.SetGCPercent(50)
	limit := syscall.Rlimit{Cur: hostileMemory, Max: hostileMemory}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		panic(err)
	}
	for _, h := range loadHostile(nil) {
		if h.name == name {
			start := time.Now()
			outcome := runHostile(h.source)
			fmt.Printf("outcome: %s; %d\n", outcome, time.Since(start).Microseconds())
			os.Exit(0)
		}
	}
	os.Exit(2)
}

type verdict struct {
	name, class, outcome string
	elapsed              time.Duration
}

// judge runs one program in a process of its own.
func judge(h hostile) verdict {
	ctx, cancel := context.WithTimeout(context.Background(), hostileNever)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), hostileEnv+"="+h.name)
	var out bytes.Buffer
	cmd.Stdout = &out
	err := cmd.Run()
	v := verdict{name: h.name}
	if _, rest, ok := strings.Cut(out.String(), "outcome: "); ok && err == nil {
		outcome, micros, _ := strings.Cut(strings.TrimSpace(rest), "; ")
		n, _ := strconv.Atoi(micros)
		v.outcome, v.elapsed = outcome, time.Duration(n)*time.Microsecond
		v.class = "in time"
		if v.elapsed > hostileInTime {
			v.class = "late"
		}
		return v
	}
	v.class = "lost"
	if ctx.Err() != nil {
		v.class = "never"
	}
	return v
}

// TestHostilePrograms holds that no program of the corpus kills the process or
// is still running after a minute. How many are in time depends on the
// machine, so it is reported and, by -update, written to docs/security.md.
func TestHostilePrograms(t *testing.T) {
	all := loadHostile(t)
	if len(all) < 100 {
		t.Fatalf("only %d programs", len(all))
	}
	verdicts := make([]verdict, len(all))
	var wait sync.WaitGroup
	next := make(chan int)
	for range 2 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := range next {
				verdicts[i] = judge(all[i])
			}
		}()
	}
	for i := range all {
		next <- i
	}
	close(next)
	wait.Wait()
	counts := map[string]int{}
	for _, v := range verdicts {
		counts[v.class]++
		switch v.class {
		case "lost", "never":
			t.Errorf("%s: %s", v.name, v.class)
		case "late":
			t.Logf("%s: %s after %v", v.name, v.outcome, v.elapsed)
		}
		if strings.HasPrefix(v.outcome, "unusable") {
			t.Errorf("%s: %s", v.name, v.outcome)
		}
	}
	t.Logf("of %d programs: %v", len(all), counts)
	if *update {
		writeTable(t, verdicts, counts)
	}
}

const tableBegin, tableEnd = "<!-- hostile programs: written by go test ./jit/interp -run Hostile -update -->", "<!-- end -->"

func writeTable(t *testing.T, verdicts []verdict, counts map[string]int) {
	const path = "../../docs/security.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(page), tableBegin)
	_, tail, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", path)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s\n\n%d programs: %d in time, %d late, %d never, %d lost.\n\n| program | verdict | outcome |\n|---|---|---|\n",
		head, tableBegin, len(verdicts), counts["in time"], counts["late"], counts["never"], counts["lost"])
	for _, v := range verdicts {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", v.name, v.class, v.outcome)
	}
	b.WriteString("\n" + tableEnd + tail)
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

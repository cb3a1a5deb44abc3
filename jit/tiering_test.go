package jit

import "testing"

// wide is what the last decision wants compiled.
var wide []int

func guardOf(id int, widens bool) *Guard {
	return &Guard{ID: id, CanWiden: widens, Line: id, Column: 1, What: "a guard"}
}

func wantVerdict(t *testing.T, ti *Tiering, m Miss, tries int, want Verdict) (*Form, Reason) {
	t.Helper()
	d := ti.Missed(m, tries)
	if d.Verdict != want {
		t.Fatalf("verdict %d, want %d (%+v)", d.Verdict, want, d.Why)
	}
	compiles := want == VerdictTierUp || want == VerdictCompile
	if compiles != (d.Form != nil) {
		t.Fatalf("verdict %d with form %v", want, d.Form)
	}
	if compiles {
		d.Form.Making()
		wide = d.Wide
	}
	return d.Form, d.Why
}

// TestTrustedTierUp: calls run on tier 0 while their types are compiled; a
// guard that keeps failing widens the form three times, then the function stays.
func TestTrustedTierUp(t *testing.T) {
	ti := &Tiering{}
	f, _ := wantVerdict(t, ti, Miss{Kinds: 19}, 0, VerdictTierUp)
	wantVerdict(t, ti, Miss{Kinds: 19}, 0, VerdictInterp)
	ti.Made(19, wide, 100, Reason{})
	if f.State != FormReady || f.Size != 100 {
		t.Fatalf("%+v", f)
	}
	for id := 1; id <= maxWidenings; id++ {
		for range guardPatience - 1 {
			wantVerdict(t, ti, Miss{19, guardOf(id, true)}, 0, VerdictInterp)
		}
		wantVerdict(t, ti, Miss{19, guardOf(id, true)}, 0, VerdictTierUp)
		wantVerdict(t, ti, Miss{19, guardOf(id, true)}, 0, VerdictInterp)
		ti.Made(19, wide, 100, Reason{})
	}
	for range guardPatience {
		if ti.Stays.Text != "" {
			t.Fatal("given up too early")
		}
		wantVerdict(t, ti, Miss{19, guardOf(9, true)}, 0, VerdictInterp)
	}
	if ti.Stays.Line != 9 {
		t.Fatalf("it stays for %+v", ti.Stays)
	}
}

// TestTrustedRareFailure: what cannot be widened is borne while it is rare.
func TestTrustedRareFailure(t *testing.T) {
	ti := &Tiering{}
	wantVerdict(t, ti, Miss{Kinds: 1}, 0, VerdictTierUp)
	ti.Made(1, nil, 1, Reason{})
	ti.Calls[TierCompiled] = 1000
	for range 62 {
		wantVerdict(t, ti, Miss{1, guardOf(3, false)}, 0, VerdictInterp)
	}
	if ti.Stays.Text != "" {
		t.Fatalf("62 failures in 1000: %+v", ti.Stays)
	}
	wantVerdict(t, ti, Miss{1, guardOf(3, false)}, 0, VerdictInterp)
	if ti.Stays.Text == "" {
		t.Fatal("63 failures in 1000 are borne")
	}
}

// TestSandboxed: a call waits for its code at most three times, and what no code
// can be made for ends it with the reason.
func TestSandboxed(t *testing.T) {
	ti := &Tiering{Sandboxed: true}
	f, _ := wantVerdict(t, ti, Miss{Kinds: 19}, 0, VerdictCompile)
	wantVerdict(t, ti, Miss{Kinds: 19}, 0, VerdictWait)
	ti.Made(19, wide, 100, Reason{})
	wantVerdict(t, ti, Miss{19, guardOf(1, true)}, 1, VerdictCompile)
	ti.Made(19, wide, 100, Reason{})
	wantVerdict(t, ti, Miss{19, guardOf(2, true)}, 2, VerdictCompile)
	ti.Made(19, wide, 100, Reason{})
	if _, why := wantVerdict(t, ti, Miss{19, guardOf(3, true)}, 3, VerdictRefuse); why.Line != 3 {
		t.Fatalf("%+v", why)
	}
	if len(f.Wide) != 2 {
		t.Fatalf("wide %v", f.Wide)
	}
	wantVerdict(t, ti, Miss{19, guardOf(4, false)}, 0, VerdictRefuse)
	wantVerdict(t, ti, Miss{19, guardOf(1, true)}, 0, VerdictRefuse) // it is wide already
	wantVerdict(t, ti, Miss{}, 0, VerdictRefuse)
	wantVerdict(t, ti, Miss{Kinds: 20}, 0, VerdictCompile)
	ti.Made(20, nil, 0, Reason{7, 1, "no"})
	if _, why := wantVerdict(t, ti, Miss{Kinds: 20}, 0, VerdictRefuse); why.Line != 7 {
		t.Fatalf("%+v", why)
	}
}

// TestFormsAreBounded: callers choose the types, so their number has an end.
func TestFormsAreBounded(t *testing.T) {
	ti := &Tiering{}
	for kinds := uint64(16); kinds < 16+5*MaxForms; kinds++ {
		wantVerdict(t, ti, Miss{Kinds: kinds}, 0, VerdictTierUp)
		ti.Made(kinds, nil, 1, Reason{})
	}
	if len(ti.Forms) != MaxForms {
		t.Fatalf("%d forms", len(ti.Forms))
	}
	ti.Made(16, nil, 1, Reason{}) // of a form that has gone
}

package jit

// Tiering is what a tenant's home lcore knows of one function's way through the
// tiers, and decides what becomes of a call that tier 1 did not run (Deopt). It
// compiles nothing itself: whoever calls Missed hands the Form to a control
// thread and reports with Made.
//
// A trusted tenant's function begins on tier 0 and moves up to tier 1 for each
// list of argument types that calls bring; a sandboxed one knows tier 1 only.
type Tiering struct {
	Sandboxed bool
	// Stays says why every call runs on tier 0; its Text is empty while that is not so.
	Stays Reason
	// Forms are the lists of argument types that calls brought.
	Forms []*Form

	Calls        [2]uint64 // that ended, by tier
	Deopts       uint64    // runs of tier 1 that were given up
	Compilations uint64
	// Of the calls that ended, on either tier.
	Fuel, Lookups, BytesRead, BytesReturned uint64

	replace int // the form to go when there are too many
}

// Reason says why something is not compiled. Line and Column count from 1, 0 if
// there is no position.
type Reason struct {
	Line, Column int
	Text         string
}

// Form is a function for one list of argument types.
type Form struct {
	Kinds  uint64 // as the Miss packs them
	State  FormState
	Wide   []int // guards whose operations take the general form
	Guards []GuardCount
	Why    Reason // of FormRefused
	Size   int    // bytes of code
}

// FormState is how far a form is.
type FormState uint8

const (
	FormAbsent  FormState = iota
	FormMaking            // a control thread compiles it; if it is widened, the one before serves
	FormReady             // it was made; an idle tenant's may have been taken away again
	FormRefused           // it cannot be compiled
)

// Guard is a check in compiled code.
type Guard struct {
	ID           int
	CanWiden     bool
	Line, Column int
	What         string
}

// GuardCount is a guard and how often it failed.
type GuardCount struct {
	Guard
	Failed uint64
}

// Miss says why a run of tier 1 ended in Deopt: it is not compiled for the
// arguments' types, or Guard failed.
type Miss struct {
	Kinds uint64 // 0: no form can take such arguments
	Guard *Guard
}

// Bounds of the policy.
const (
	// MaxForms is how many lists of argument types one function is compiled for.
	MaxForms = 16
	// MaxTries is how often one call waits for code that it needs.
	MaxTries = 3
	// guardPatience is how often a guard fails before the trusted tenant's form is widened.
	guardPatience = 4
	// maxWidenings of a trusted tenant's form; then its function stays on tier 0.
	maxWidenings = 3
	// rareFailure: a guard that cannot be widened is borne while it fails in less
	// than one of so many calls; the rest gains more than the failures cost.
	rareFailure = 16
)

// Verdict is what becomes of a call that tier 1 did not run.
type Verdict uint8

const (
	VerdictInterp  Verdict = iota // run it on tier 0
	VerdictTierUp                 // the same, and have the form compiled meanwhile
	VerdictCompile                // it waits until the form is compiled
	VerdictWait                   // it waits for the form, which is being compiled
	VerdictRefuse                 // it ends, for the reason given
)

// Missed decides about a call that has waited for code tries times. The form is
// what is to be compiled, if anything is.
func (t *Tiering) Missed(m Miss, tries int) (Verdict, *Form, Reason) {
	t.Deopts++
	if m.Kinds == 0 {
		return t.give(Reason{Text: "the call brings JSON, text that is not ASCII, or more than 15 arguments, which compiled code does not take"})
	}
	f := t.form(m.Kinds)
	if m.Guard == nil {
		return t.missing(f, tries)
	}
	g := f.guard(*m.Guard)
	g.Failed++
	if t.Sandboxed {
		return t.widenNow(f, g, tries)
	}
	return t.widenLater(f, g)
}

// give ends a sandboxed call and runs a trusted one on tier 0.
func (t *Tiering) give(why Reason) (Verdict, *Form, Reason) {
	if t.Sandboxed {
		return VerdictRefuse, nil, why
	}
	return VerdictInterp, nil, Reason{}
}

// missing: the form is not there.
func (t *Tiering) missing(f *Form, tries int) (Verdict, *Form, Reason) {
	switch {
	case f.State == FormRefused:
		return t.give(f.Why)
	case f.State == FormMaking && t.Sandboxed:
		return VerdictWait, f, Reason{}
	case f.State == FormMaking:
		return VerdictInterp, nil, Reason{}
	case !t.Sandboxed:
		return VerdictTierUp, f, Reason{}
	case tries >= MaxTries:
		return VerdictRefuse, nil, Reason{Text: "the code for this call went away while it waited: try again"}
	}
	return VerdictCompile, f, Reason{}
}

// widenNow is for a sandboxed call, which has nowhere else to go.
func (t *Tiering) widenNow(f *Form, g *GuardCount, tries int) (Verdict, *Form, Reason) {
	switch {
	case f.State == FormMaking:
		return VerdictWait, f, Reason{}
	case f.State == FormRefused:
		return VerdictRefuse, nil, f.Why
	case !g.CanWiden || f.isWide(g.ID):
		return VerdictRefuse, nil, Reason{g.Line, g.Column, g.What + ": compiled code has no form for it"}
	case tries >= MaxTries:
		return VerdictRefuse, nil, Reason{g.Line, g.Column, g.What + ": the call was compiled anew three times and met another such case each time; call it again"}
	}
	f.Wide = append(f.Wide, g.ID)
	return VerdictCompile, f, Reason{}
}

// widenLater is for a trusted call: it runs on tier 0, and what keeps failing is
// compiled anew.
func (t *Tiering) widenLater(f *Form, g *GuardCount) (Verdict, *Form, Reason) {
	switch {
	case g.Failed < guardPatience || f.State != FormReady:
		return VerdictInterp, nil, Reason{}
	case g.CanWiden && !f.isWide(g.ID) && len(f.Wide) < maxWidenings:
		f.Wide = append(f.Wide, g.ID)
		return VerdictTierUp, f, Reason{}
	case g.Failed*rareFailure > t.Calls[TierCompiled]:
		t.Stays = Reason{g.Line, g.Column, "a guard keeps failing: " + g.What}
	}
	return VerdictInterp, nil, Reason{}
}

// Making notes that a control thread has been asked for f.
func (f *Form) Making() { f.State = FormMaking }

// NotMade notes that nobody could be asked for f, or that what was made is lost.
func (f *Form) NotMade() {
	if f.State == FormMaking {
		f.State = FormAbsent
	}
}

// Made takes what became of the form for kinds: its size, or why it is refused.
func (t *Tiering) Made(kinds uint64, size int, why Reason) {
	t.Compilations++
	for _, f := range t.Forms {
		if f.Kinds != kinds {
			continue
		}
		f.State, f.Size = FormReady, size
		if why.Text != "" {
			f.State, f.Why = FormRefused, why
		}
		return
	}
}

// Ended counts a call that ran to its end, whichever that was.
func (t *Tiering) Ended(c *Cost) {
	t.Calls[c.Tier&1]++
	t.Fuel += c.Fuel
	t.Lookups += c.Lookups
	t.BytesRead += c.BytesRead
	t.BytesReturned += c.BytesReturned
}

// form returns the form for kinds, in place of an older one if there are too many.
func (t *Tiering) form(kinds uint64) *Form {
	for _, f := range t.Forms {
		if f.Kinds == kinds {
			return f
		}
	}
	f := &Form{Kinds: kinds}
	if len(t.Forms) < MaxForms {
		t.Forms = append(t.Forms, f)
		return f
	}
	t.Forms[t.replace%MaxForms] = f
	t.replace++
	return f
}

func (f *Form) guard(g Guard) *GuardCount {
	for i := range f.Guards {
		if f.Guards[i].ID == g.ID {
			return &f.Guards[i]
		}
	}
	f.Guards = append(f.Guards, GuardCount{Guard: g})
	return &f.Guards[len(f.Guards)-1]
}

func (f *Form) isWide(id int) bool {
	for _, w := range f.Wide {
		if w == id {
			return true
		}
	}
	return false
}

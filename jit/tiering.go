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

// Decision is a Verdict with what it takes.
type Decision struct {
	Verdict
	Form *Form  // to be compiled (VerdictTierUp, VerdictCompile)
	Wide []int  // with the general form for these guards
	Why  Reason // of VerdictRefuse
}

// Missed decides about a call that has waited for code tries times.
func (t *Tiering) Missed(m Miss, tries int) Decision {
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
func (t *Tiering) give(why Reason) Decision {
	if t.Sandboxed {
		return refuse(why)
	}
	return Decision{}
}

func refuse(why Reason) Decision { return Decision{Verdict: VerdictRefuse, Why: why} }

// missing: the form is not there.
func (t *Tiering) missing(f *Form, tries int) Decision {
	switch {
	case f.State == FormRefused:
		return t.give(f.Why)
	case f.State == FormMaking && t.Sandboxed:
		return Decision{Verdict: VerdictWait}
	case f.State == FormMaking:
		return Decision{}
	case !t.Sandboxed:
		return Decision{Verdict: VerdictTierUp, Form: f, Wide: f.Wide}
	case tries >= MaxTries:
		return refuse(Reason{Text: "the code for this call went away while it waited: try again"})
	}
	return Decision{Verdict: VerdictCompile, Form: f, Wide: f.Wide}
}

// widenNow is for a sandboxed call, which has nowhere else to go.
func (t *Tiering) widenNow(f *Form, g *GuardCount, tries int) Decision {
	switch {
	case f.State == FormMaking:
		return Decision{Verdict: VerdictWait}
	case f.State == FormRefused:
		return refuse(f.Why)
	case !g.CanWiden || f.isWide(g.ID):
		return refuse(Reason{g.Line, g.Column, g.What + ": compiled code has no form for it"})
	case tries >= MaxTries:
		return refuse(Reason{g.Line, g.Column, g.What + ": the call was compiled anew three times and met another such case each time; call it again"})
	}
	return Decision{Verdict: VerdictCompile, Form: f, Wide: f.wider(g.ID)}
}

// widenLater is for a trusted call: it runs on tier 0, and what keeps failing is
// compiled anew.
func (t *Tiering) widenLater(f *Form, g *GuardCount) Decision {
	switch {
	case g.Failed < guardPatience || f.State != FormReady:
		return Decision{}
	case g.CanWiden && !f.isWide(g.ID) && len(f.Wide) < maxWidenings:
		return Decision{Verdict: VerdictTierUp, Form: f, Wide: f.wider(g.ID)}
	case g.Failed*rareFailure > t.Calls[TierCompiled]:
		t.Stays = Reason{g.Line, g.Column, "a guard keeps failing: " + g.What}
	}
	return Decision{}
}

// Making notes that a control thread compiles f.
func (f *Form) Making() { f.State = FormMaking }

// Made takes what became of the form for kinds: its size in bytes, or why it is
// refused. A form that could not be widened goes on as it was.
func (t *Tiering) Made(kinds uint64, wide []int, size int, why Reason) {
	t.Compilations++
	for _, f := range t.Forms {
		if f.Kinds != kinds {
			continue
		}
		f.Wide, f.Why, f.State = wide, why, FormReady
		switch {
		case why.Text == "":
			f.Size = size
		case f.Size == 0:
			f.State = FormRefused
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

// wider is a list of its own: the one before may be on its way to a control thread.
func (f *Form) wider(id int) []int {
	return append(append(make([]int, 0, len(f.Wide)+1), f.Wide...), id)
}

func (f *Form) isWide(id int) bool {
	for _, w := range f.Wide {
		if w == id {
			return true
		}
	}
	return false
}

package tenants

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"shredder/jit"
	"shredder/jit/wasm"
)

// Profile is a copy of what the home lcore knows of a function.
type Profile struct {
	Name    string
	Tiering jit.Tiering
}

// Profiles copies what is known of the active version's functions, for a control
// thread to read. Only the home lcore calls it.
func (l *Local) Profiles() []Profile {
	all := make([]Profile, 0, len(l.Engine.functions))
	for name, f := range l.Engine.functions {
		p := Profile{name, f.Tiering}
		p.Tiering.Forms = make([]*jit.Form, len(f.Tiering.Forms))
		for i, form := range f.Tiering.Forms {
			c := *form
			c.Guards = append([]jit.GuardCount(nil), form.Guards...)
			p.Tiering.Forms[i] = &c // Wide is never changed in place
		}
		all = append(all, p)
	}
	return all
}

// Explanation says how a version's functions run.
type Explanation struct {
	Library   string            `json:"library"`
	Hash      string            `json:"hash"`
	Active    bool              `json:"active"` // counts are those of the active version only, since it became so
	Trust     string            `json:"trust"`
	Functions []FunctionProfile `json:"functions"`
}

// FunctionProfile says how one function runs.
type FunctionProfile struct {
	Name         string        `json:"name"`
	Tier         int           `json:"tier"`             // that its next call begins on, if its types are those of a form
	Reason       *Place        `json:"reason,omitempty"` // why not on a higher one
	Forms        []FormProfile `json:"forms"`
	Calls        [2]uint64     `json:"calls"` // by tier
	Deopts       uint64        `json:"deopts"`
	Compilations uint64        `json:"compilations"`
	// Averages of a call.
	Fuel          float64 `json:"fuel"`
	Lookups       float64 `json:"lookups"`
	BytesRead     float64 `json:"bytes_read"`
	BytesReturned float64 `json:"bytes_returned"`
}

// FormProfile is a function for one list of argument types.
type FormProfile struct {
	Arguments []string       `json:"arguments"`
	State     string         `json:"state"`
	CodeSize  int            `json:"code_size"` // bytes
	Widened   int            `json:"widened"`   // guards that were
	Guards    []GuardProfile `json:"guards"`    // that failed
	Reason    *Place         `json:"reason,omitempty"`
}

// GuardProfile is a guard and how often it failed.
type GuardProfile struct {
	Place
	Failed uint64 `json:"failed"`
}

// Place is something to say about a place in the source. Line and Column count
// from 1, 0 if there is none.
type Place struct {
	Text   string `json:"text"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Source string `json:"source,omitempty"` // the line
}

var formStates = [...]string{jit.FormAbsent: "absent", jit.FormMaking: "compiling", jit.FormReady: "compiled", jit.FormRefused: "refused"}

// explain makes the Explanation of a version. It compiles what has not been
// called yet for likely types, within compileTime, so no lock is to be held.
func explain(v *Version, active bool, trust Trust, profiles []Profile) []byte {
	e := Explanation{Library: v.Library, Hash: v.Hash.String(), Active: active, Trust: trust.String()}
	known := map[string]*jit.Tiering{}
	if active {
		for i := range profiles {
			known[profiles[i].Name] = &profiles[i].Tiering
		}
	}
	end := time.Now().Add(compileTime)
	for _, name := range v.Functions {
		f := FunctionProfile{Name: name, Forms: []FormProfile{}}
		if t := known[name]; t != nil {
			f.counted(v, t)
		} else {
			f.guessed(v, trust, end)
		}
		e.Functions = append(e.Functions, f)
	}
	b, err := json.Marshal(e)
	if err != nil { // strings and numbers only
		panic(err)
	}
	return b
}

// counted fills in what calls have shown.
func (f *FunctionProfile) counted(v *Version, t *jit.Tiering) {
	f.Calls, f.Deopts, f.Compilations = t.Calls, t.Deopts, t.Compilations
	if n := float64(t.Calls[0] + t.Calls[1]); n > 0 {
		f.Fuel, f.Lookups = float64(t.Fuel)/n, float64(t.Lookups)/n
		f.BytesRead, f.BytesReturned = float64(t.BytesRead)/n, float64(t.BytesReturned)/n
	}
	for _, form := range t.Forms {
		p := FormProfile{Arguments: wasm.KindNames(wasm.UnpackKinds(form.Kinds)), State: formStates[form.State], CodeSize: form.Size,
			Widened: len(form.Wide), Guards: []GuardProfile{}, Reason: v.place(form.Why)}
		for _, g := range form.Guards {
			p.Guards = append(p.Guards, GuardProfile{*v.place(jit.Reason{Line: g.Line, Column: g.Column, Text: g.What}), g.Failed})
		}
		if form.State == jit.FormReady {
			f.Tier = jit.TierCompiled
		} else if f.Reason == nil {
			f.Reason = p.Reason
		}
		f.Forms = append(f.Forms, p)
	}
	switch {
	case t.Sandboxed:
		f.Tier = jit.TierCompiled
	case t.Stays.Text != "":
		f.Tier, f.Reason = jit.TierInterp, v.place(t.Stays)
	}
	if f.Tier == jit.TierCompiled {
		f.Reason = nil
	}
}

// guessed fills in what is known before the first call.
func (f *FunctionProfile) guessed(v *Version, trust Trust, end time.Time) {
	switch {
	case v.library == nil:
		f.Reason = v.place(v.refusal)
		return
	case v.mutates[f.Name] && trust == TrustTrusted:
		f.Reason = v.place(jit.Reason{Text: mutatesReason})
		return
	case time.Now().After(end):
		f.Reason = &Place{Text: "not compiled yet: the other functions took too long"}
		return
	}
	g, err := v.library.Guess(f.Name)
	switch {
	case err != nil:
		f.Reason = v.place(reasonOf(err))
	case g.Refusal != nil:
		f.Reason = v.place(reasonOf(g.Refusal))
	default:
		f.Tier = jit.TierCompiled
		f.Forms = append(f.Forms, FormProfile{Arguments: wasm.KindNames(g.Kinds), State: "not called yet", CodeSize: g.Size, Guards: []GuardProfile{}})
	}
}

// place adds the source's line to a reason.
func (v *Version) place(r jit.Reason) *Place {
	if r.Text == "" {
		return nil
	}
	p := &Place{Text: r.Text, Line: r.Line, Column: r.Column}
	if lines := strings.Split(v.program.Source(), "\n"); r.Line > 0 && r.Line <= len(lines) {
		p.Source = strings.TrimRight(lines[r.Line-1], "\r")
	}
	return p
}

// explain answers FnExplain: for the version named, or the active one.
func (r *Registry) explain(t *tenant, job *Job) error {
	v := t.active
	if len(job.Source) != 0 {
		hash, ok := ParseHash(string(job.Source))
		if !ok {
			return fmt.Errorf("version %q is not 64 hexadecimal digits: %w", job.Source, ErrNoVersion)
		}
		v = t.version(hash)
	}
	if v == nil {
		return fmt.Errorf("there is none to explain: %w", ErrNoVersion)
	}
	active, trust := v == t.active && v == job.Version, t.trust
	t.mu.Unlock()
	job.Value = explain(v, active, trust, job.Profiles)
	t.mu.Lock()
	return nil
}

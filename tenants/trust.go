package tenants

import (
	"fmt"
	"strings"
	"time"
)

// compileTime bounds what a deployment may compile; one function takes up to a
// second for each list of types that is tried.
const compileTime = 10 * time.Second

// ParseTrust reads the name of a level of trust.
func ParseTrust(name string) (Trust, error) {
	for _, t := range []Trust{TrustSandboxed, TrustTrusted} {
		if name == t.String() {
			return t, nil
		}
	}
	return 0, fmt.Errorf("trust %q is none of sandboxed, trusted", name)
}

// TrustCommand is what makes a tenant trusted, for messages.
func TrustCommand(name string) string { return "shredderd tenant trust " + name + " trusted" }

// mustCompile says as a *LibraryError what of a sandboxed tenant's library does not
// compile for any types that its arguments may well have. The answer is
// remembered for each source.
func mustCompile(name string, p Program) error {
	library, why := p.Compiled()
	if library == nil {
		return &LibraryError{why.Line, why.Column, why.Text + "; or " + TrustCommand(name)}
	}
	end := time.Now().Add(compileTime)
	var first *LibraryError
	var others []string
	for _, f := range p.Functions() {
		if time.Now().After(end) {
			return &LibraryError{Message: "it takes longer than " + compileTime.String() + " to compile: split it into several libraries; or " + TrustCommand(name)}
		}
		g, err := library.Guess(f)
		switch {
		case err != nil:
			return fmt.Errorf("compile %s: %w", f, err)
		case g.Refusal == nil:
		case first == nil:
			why := reasonOf(g.Refusal)
			first = &LibraryError{why.Line, why.Column, f + ": " + why.Text}
		default:
			others = append(others, f)
		}
	}
	if first == nil {
		return nil
	}
	if len(others) > 0 {
		first.Message += "; nor do " + strings.Join(others, ", ") + " compile"
	}
	first.Message += "; or " + TrustCommand(name)
	return first
}

// SetTrust changes how far a tenant's functions are trusted, from its next call on.
// It is refused, with a *LibraryError, if the active library does not compile and
// the tenant is to be sandboxed. What is known of its functions is forgotten.
func (r *Registry) SetTrust(name string, to Trust) error {
	t, err := r.find(name)
	if err != nil {
		return err
	}
	defer t.mu.Unlock()
	if t.trust == to {
		return nil
	}
	if to == TrustSandboxed && t.active != nil {
		if err := mustCompile(name, t.active.program); err != nil {
			return err
		}
	}
	t.trust = to
	r.cfg.Post(t.local.Home, Event{Kind: EventVisit, Local: t.local, Visit: func(l *Local) { l.changeTrust(to) }})
	return nil
}

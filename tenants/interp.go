package tenants

import (
	"errors"

	"shredder/jit"
	"shredder/jit/interp"
	"shredder/store"
)

// Interpreter is the Loader of tier 0.
type Interpreter struct{}

// Compile implements Loader.
func (Interpreter) Compile(source []byte, limits *jit.Limits) (Program, error) {
	p, err := interp.Compile(source, limits)
	if err != nil {
		return nil, libraryError(err)
	}
	return p, nil
}

// NewRuntime implements Loader.
func (Interpreter) NewRuntime(p Program, shard *store.Shard, at Instance) (Runtime, error) {
	rt, err := interp.NewRuntime(p.(*interp.Program), shard,
		interp.RuntimeConfig{Tenant: at.Tenant, Limits: at.Limits, NowMillis: at.NowMillis})
	if err != nil {
		return nil, libraryError(err)
	}
	return rt, nil
}

func libraryError(err error) error {
	var se *interp.SourceError
	if errors.As(err, &se) {
		return &LibraryError{Line: se.Line, Column: se.Column, Message: se.Message}
	}
	return err
}

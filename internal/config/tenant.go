package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"shredder/jit"
	"shredder/tenants"
)

// ParseTenant reads one tenant from the keys of a decoded JSON object.
func ParseTenant(raw map[string]any) (Tenant, error) {
	var t Tenant
	errs := unknown(raw, reflect.TypeFor[Tenant](), "")
	errs = append(errs, decode(raw, &t))
	return t, errors.Join(errs...)
}

// Spec returns what the registry is to make, with tokens and libraries read from
// their files. The error names everything that is wrong.
func (t *Tenant) Spec() (tenants.Spec, error) {
	var errs []error
	s := tenants.Spec{
		Name: t.Name, ID: t.ID, Quota: uint64(t.Quota), NoToken: t.NoToken, NoDeployToken: t.NoDeployToken,
		TrustedSources: t.TrustedSources, Home: -1, Limits: t.limits(),
	}
	if t.Home != nil {
		s.Home = *t.Home
		if s.Home < 0 {
			errs = append(errs, fmt.Errorf("tenant %q: home lcore %d: leave it out for the one with the least load", t.Name, s.Home))
		}
	}
	var err error
	if t.Trust != "" {
		if s.Trust, err = tenants.ParseTrust(t.Trust); err != nil {
			errs = append(errs, fmt.Errorf("tenant %q: %w", t.Name, err))
		}
	}
	s.DataToken, err = token("token", t.Token, t.TokenFile)
	errs = append(errs, err)
	s.DeployToken, err = token("deploy-token", t.DeployToken, t.DeployTokenFile)
	errs = append(errs, err)
	s.Libraries, err = readLibrary(t.Library)
	errs = append(errs, err)
	if t.Graph != "" {
		if s.Graph, err = os.ReadFile(t.Graph); err != nil {
			errs = append(errs, fmt.Errorf("graph: %w", err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return s, errors.Join(err, s.Check())
	}
	return s, s.Check()
}

func token(key string, given Secret, path string) ([]byte, error) {
	if path == "" {
		return []byte(given), nil
	}
	if given != "" {
		return nil, fmt.Errorf("%s and %s-file: choose one", key, key)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s-file: %w", key, err)
	}
	if b = []byte(strings.TrimSpace(string(b))); len(b) == 0 {
		return nil, fmt.Errorf("%s-file: %s is empty", key, path)
	}
	return b, nil
}

// readLibrary reads a library's file, or every .js and .mjs file of a directory in
// the order of their names. TypeScript is bundled by the client (shredder fn deploy).
func readLibrary(path string) ([]tenants.Source, error) {
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("library: %w", err)
	}
	files := []string{path}
	if info.IsDir() {
		if files, err = libraryFiles(path); err != nil {
			return nil, fmt.Errorf("library: %w", err)
		}
	}
	var sources []tenants.Source
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("library: %w", err)
		}
		sources = append(sources, tenants.Source{Name: strings.TrimSuffix(filepath.Base(f), filepath.Ext(f)), Text: text})
	}
	return sources, nil
}

func libraryFiles(dir string) (files []string, err error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err
	}
	other := ""
	for _, e := range entries {
		switch ext := filepath.Ext(e.Name()); {
		case e.IsDir():
		case ext == ".js" || ext == ".mjs":
			files = append(files, filepath.Join(dir, e.Name()))
		case ext == ".ts" || ext == ".mts":
			other = "; " + e.Name() + " is for the command line, which bundles it: shredder fn deploy"
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no .js or .mjs file in %s%s", dir, other)
	}
	return files, nil
}

// limits returns the tenant's limits: the defaults, or those of development, and
// what is set.
func (t *Tenant) limits() jit.Limits {
	l := jit.DefaultLimits()
	if t.Development {
		l = jit.DevelopmentLimits()
	}
	s := &t.Limits
	set(&l.Fuel, s.Fuel)
	set(&l.Slice, s.Slice)
	if s.Deadline != nil {
		l.DeadlineMillis = time.Duration(*s.Deadline).Milliseconds()
	}
	set(&l.Depth, s.Depth)
	set(&l.Scratch, s.Scratch)
	set(&l.ResultSize, s.ResultSize)
	set(&l.LogSize, s.LogSize)
	set(&l.OverlayWrites, s.OverlayWrites)
	set(&l.OverlayBytes, s.OverlayBytes)
	set(&l.SourceSize, s.SourceSize)
	set(&l.SourceDepth, s.SourceDepth)
	set(&l.Functions, s.Functions)
	set(&l.LoadFuel, s.LoadFuel)
	set(&l.Waiting, s.Waiting)
	set(&l.CallsPerSecond, s.CallsPerSecond)
	set(&l.FuelPerSecond, s.FuelPerSecond)
	return l
}

func set[T, F ~int | ~int64 | ~uint64](to *T, from *F) {
	if from != nil {
		*to = T(*from)
	}
}

package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Key is one setting that the environment and flags can give too.
type Key struct {
	Name string // dotted, as in the file
	Help string
	Bool bool
	List bool
}

// Flag returns the key's flag, without dashes in front.
func (k Key) Flag() string { return strings.ReplaceAll(k.Name, ".", "-") }

// Env returns the key's environment variable.
func (k Key) Env() string {
	return envPrefix + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(k.Name))
}

const envPrefix = "SHREDDER_"

// Keys returns every key but those of tenants, in the order of Config.
func Keys() []Key { return collect(reflect.TypeFor[Config](), "") }

func collect(t reflect.Type, prefix string) (keys []Key) {
	for i := range t.NumField() {
		f := t.Field(i)
		name := prefix + yamlName(f)
		switch {
		case name == "tenants":
		case isGroup(f.Type):
			keys = append(keys, collect(f.Type, name+".")...)
		default:
			keys = append(keys, Key{Name: name, Help: f.Tag.Get("help"),
				Bool: f.Type.Kind() == reflect.Bool, List: f.Type.Kind() == reflect.Slice})
		}
	}
	return keys
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// isGroup reports whether a field holds keys of its own.
func isGroup(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// unknown returns an error for every key of raw that t does not have, each with
// the nearest one that it has.
func unknown(raw any, t reflect.Type, path string) (errs []error) {
	switch v := raw.(type) {
	case map[string]any:
		if !isGroup(t) {
			return nil // decoding says what is wrong
		}
		fields := map[string]reflect.Type{}
		var names []string
		for i := range t.NumField() {
			name := yamlName(t.Field(i))
			fields[name] = t.Field(i).Type
			names = append(names, name)
		}
		for _, name := range sortedKeys(v) {
			if ft, ok := fields[name]; ok {
				errs = append(errs, unknown(v[name], ft, path+name+".")...)
			} else {
				errs = append(errs, fmt.Errorf("unknown key %q: did you mean %q?", path+name, path+nearest(name, names)))
			}
		}
	case []any:
		if t.Kind() == reflect.Slice {
			base := strings.TrimSuffix(path, ".")
			for i, item := range v {
				errs = append(errs, unknown(item, t.Elem(), fmt.Sprintf("%s[%d].", base, i))...)
			}
		}
	}
	return errs
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// nearest returns the name that takes the fewest edits to reach.
func nearest(name string, names []string) string {
	best, bestEdits := "", -1
	for _, n := range names {
		if e := edits(name, n); bestEdits < 0 || e < bestEdits {
			best, bestEdits = n, e
		}
	}
	return best
}

// edits is the Levenshtein distance of a and b.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

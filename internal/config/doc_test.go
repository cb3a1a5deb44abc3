package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestDocumented holds that docs/operations.md names every key there is.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, k := range Keys() {
		names = append(names, k.Name)
	}
	for _, group := range []reflect.Type{reflect.TypeFor[Tenant](), reflect.TypeFor[Limits]()} {
		for i := range group.NumField() {
			names = append(names, yamlName(group.Field(i)))
		}
	}
	for _, name := range names {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/operations.md does not name `%s`: add it to the table of keys", name)
		}
	}
}

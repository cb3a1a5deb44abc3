package dpdk

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestTwin: the package exports the same names with the tag dpdk and without.
func TestTwin(t *testing.T) {
	with, without := exported(t, false), exported(t, true)
	for _, name := range with {
		if !slices.Contains(without, name) {
			t.Errorf("twin.go lacks %s", name)
		}
	}
	for _, name := range without {
		if !slices.Contains(with, name) {
			t.Errorf("only twin.go has %s", name)
		}
	}
	if len(with) < 15 {
		t.Errorf("only %d exported names were found: %v", len(with), with)
	}
}

// exported lists the exported functions, methods and types of twin.go, or of
// the files that it stands for.
func exported(t *testing.T, twin bool) []string {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tag := "//go:build dpdk\n"
		if twin {
			tag = "//go:build !dpdk\n"
		}
		if !strings.HasPrefix(string(source), tag) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			names = append(names, declared(d)...)
		}
	}
	return names
}

func declared(d ast.Decl) (names []string) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			recv := d.Recv.List[0].Type
			if star, ok := recv.(*ast.StarExpr); ok {
				recv = star.X
			}
			if !ast.IsExported(recv.(*ast.Ident).Name) {
				return nil
			}
			name = recv.(*ast.Ident).Name + "." + name
		}
		if ast.IsExported(d.Name.Name) {
			names = append(names, name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.IsExported() {
				names = append(names, ts.Name.Name)
			}
		}
	}
	return names
}

func TestRingLimits(t *testing.T) {
	l := RingLimits{Min: 64, Max: 4096, Align: 32}
	for n, ok := range map[int]bool{63: false, 64: true, 65: false, 96: true, 4096: true, 4128: false, -1: false} {
		if l.check(n) != ok {
			t.Errorf("check(%d) is %v", n, !ok)
		}
	}
	for n, want := range map[int]int{0: 64, 1000: 992, 5000: 4096, 512: 512} {
		if got := l.clamp(n); got != want || !l.check(got) {
			t.Errorf("clamp(%d) = %d, want %d", n, got, want)
		}
	}
	if got := l.String(); got != "64 to 4096 descriptors in steps of 32" {
		t.Error(got)
	}
}

func TestHasLcoreArg(t *testing.T) {
	for args, want := range map[string]bool{
		"-l 1": true, "-l1": true, "-c 3": true, "--lcores=0@1": true, "--lcores (0,1)@0": true,
		"--no-huge -m 512": false, "--log-level=error": false, "--vdev=net_ring0": false,
	} {
		if got := hasLcoreArg(strings.Fields(args)); got != want {
			t.Errorf("%q: %v", args, got)
		}
	}
}

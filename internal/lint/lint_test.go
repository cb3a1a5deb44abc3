// Package lint holds the rules of docs/ARCHITECTURE.md that a machine can check.
// Each failure names its cure.
package lint

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "shredder"

// layers lists the packages from the bottom up; a package imports only what
// stands above it in this list (and its own subpackages).
var layers = []string{
	"internal/invariant",
	"internal/prefetch",
	"pktproc/wire",
	"dataplane/nic",
	"dataplane/nic/nictest",
	"dataplane/nic/mem",
	"dataplane/nic/udp",
	"dpdk",
	"store/layout",
	"store/arena",
	"store",
	"jit",
	"jit/jsmath",
	"jit/syntax",
	"jit/interp",
	"jit/compile",
	"jit/wasm",
	"jit/corpus",
	"tenants",
	"pktproc",
	"dataplane",
	"internal/config",
	"internal/resp/proto",
	"internal/resp/keyspace",
	"internal/resp",
	"internal/metrics",
	"internal/control",
	"client",
	"internal/sim",
	"bench",
	"internal/e2e",
	"cmd",
}

// layerOf returns the index of the longest entry that holds pkg, −1 for none.
func layerOf(pkg string) int {
	best := -1
	for i, l := range layers {
		if pkg == l || strings.HasPrefix(pkg, l+"/") {
			if best < 0 || len(l) > len(layers[best]) {
				best = i
			}
		}
	}
	return best
}

type goFile struct {
	path string // from the module's root
	pkg  string // directory
	ast  *ast.File
	test bool
}

func goFiles(t *testing.T) []goFile {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	var files []goFile
	fset := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata" || name == "out" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		files = append(files, goFile{path: rel, pkg: filepath.Dir(rel), ast: f, test: strings.HasSuffix(name, "_test.go")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("only %d Go files found below %s: the walk is broken", len(files), root)
	}
	return files
}

func imports(f *ast.File) []string {
	var paths []string
	for _, spec := range f.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		paths = append(paths, p)
	}
	return paths
}

func TestLayers(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		own := layerOf(f.pkg)
		if own < 0 {
			if f.pkg != "internal/lint" {
				t.Errorf("%s: package %s stands in no layer: add it to layers in internal/lint and to docs/ARCHITECTURE.md", f.path, f.pkg)
			}
			continue
		}
		for _, imp := range imports(f.ast) {
			rel, inside := strings.CutPrefix(imp, module+"/")
			if !inside {
				continue
			}
			other := layerOf(rel)
			if other > own {
				t.Errorf("%s imports %s, which stands below it in the layer table: move what is shared up, or pass it in as a function", f.path, rel)
			}
		}
	}
}

func TestCgoOnlyInDPDK(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, imp := range imports(f.ast) {
			if imp == "C" && f.pkg != "dpdk" {
				t.Errorf("%s imports \"C\": only package dpdk may; put the call there behind a Go name", f.path)
			}
			if imp == "unsafe" && !strings.HasSuffix(f.path, "_unsafe.go") && !strings.HasSuffix(f.path, "_unsafe_test.go") && f.pkg != "dpdk" {
				t.Errorf("%s imports unsafe: move the lines that need it into a file named *_unsafe.go", f.path)
			}
		}
	}
}

// hotPackages lie on the path of a request. What they may not import at all:
var hotPackages = []string{"pktproc/wire", "store", "store/arena", "store/layout", "dataplane/nic", "pktproc"}
var bannedOnHotPath = []string{"log", "log/slog", "github.com/rs/zerolog", "reflect"}

func TestHotPathImports(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test || !slices.Contains(hotPackages, f.pkg) {
			continue
		}
		for _, imp := range imports(f.ast) {
			if slices.Contains(bannedOnHotPath, imp) {
				t.Errorf("%s imports %s: nothing on the path of a request logs or reflects; count it and let a control thread report", f.path, imp)
			}
		}
	}
}

// TestHotPathHasNoTimeNow: lcores are given the time once a turn (pktproc.Clock).
func TestHotPathHasNoTimeNow(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test || !slices.Contains(hotPackages, f.pkg) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since") {
				t.Errorf("%s reads the clock: take the turn's Clock as a parameter, so that simulations decide the time", f.path)
			}
			return true
		})
	}
}

// TestFileLength holds style's "a file holds one idea (about 500 lines at most)".
func TestFileLength(t *testing.T) {
	root := "../.."
	for _, f := range goFiles(t) {
		b, err := os.ReadFile(filepath.Join(root, f.path))
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(b), "\n"); lines > 600 {
			t.Errorf("%s has %d lines: a file holds one idea; split it by what happens in it", f.path, lines)
		}
	}
}

// TestPackageComments: a package says what it owns and which thread may call it.
func TestPackageComments(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		documented[f.pkg] = documented[f.pkg] || f.ast.Doc != nil
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment: say what it owns and which thread may call it", pkg)
		}
	}
}

// TestNoDebris: what is unfinished stands in an issue, not in the code.
func TestNoDebris(t *testing.T) {
	marks := []string{"TO" + "DO", "FIX" + "ME", "XX" + "X:"}
	for _, f := range goFiles(t) {
		for _, group := range f.ast.Comments {
			for _, mark := range marks {
				if strings.Contains(group.Text(), mark) {
					t.Errorf("%s has a comment with %s: finish it, or file an issue and describe today's behaviour here", f.path, mark)
				}
			}
		}
	}
}

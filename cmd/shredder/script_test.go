package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"shredder/client/clienttest"
	"shredder/pktproc/wire"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"shredder": main})
}

// TestScripts runs testdata/script/*.txtar, each against a fake server of its
// own: tenant dev without a token, or if the script's name begins with token,
// tenant alice with the deploy token "secret".
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			config := clienttest.Config{}
			if strings.Contains(e.WorkDir, "script-token") {
				config = clienttest.Config{Tenant: "alice", Token: []byte("secret"), Role: wire.RoleDeploy}
			}
			server, err := clienttest.Start(config)
			if err != nil {
				return err
			}
			e.Defer(func() { _ = server.Close() })
			server.Log("first line")
			server.Log("second line")
			e.Setenv("SHREDDER_ADDR", server.Addr())
			return nil
		},
	})
}

func TestLiterals(t *testing.T) {
	a := &app{stdin: strings.NewReader("piped")}
	args, err := a.readArgs([]string{"42", "-7", "2.5", "true", "null", `"text"`, `[1, 2]`, "word", "007", "@@x", "-", ""}, argFlags{})
	if err != nil {
		t.Fatal(err)
	}
	if args[0] != int64(42) || args[1] != int64(-7) || args[2] != 2.5 || args[3] != true || args[4] != nil || args[5] != "text" ||
		args[7] != "word" || args[8] != "007" || args[9] != "@x" || string(args[10].([]byte)) != "piped" || args[11] != "" {
		t.Errorf("%#v", args)
	}
	if args, err = a.readArgs([]string{"42", "@x"}, argFlags{text: true}); err != nil || args[0] != "42" || args[1] != "@x" {
		t.Errorf("%#v %v", args, err)
	}
	if _, err = a.readArgs([]string{"word"}, argFlags{json: true}); exitCode(err) != exitUsage {
		t.Errorf("a word as JSON: %v", err)
	}
	if _, err = a.readArgs([]string{"-"}, argFlags{}); exitCode(err) != exitUsage {
		t.Errorf("standard input twice: %v", err)
	}
}

func TestReadEdges(t *testing.T) {
	nodes, count, err := readEdges(strings.NewReader("# graph\n1 2\n1 3\n\n5 1\n1 4\n"))
	if err != nil || count != 4 || len(nodes) != 2 || nodes[0].key != 1 || nodes[1].key != 5 {
		t.Fatalf("%v %d %v", nodes, count, err)
	}
	if want := []byte{2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0}; !bytes.Equal(nodes[0].value, want) {
		t.Errorf("%x", nodes[0].value)
	}
	for _, bad := range []string{"1", "1 2 3", "a 1", "1 4294967296", "9007199254740992 1", "-1 2"} {
		if _, _, err := readEdges(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

// TestHelpNamesExitCodes: the codes are part of the interface.
func TestHelpNamesExitCodes(t *testing.T) {
	var out bytes.Buffer
	if code := run(context.Background(), []string{"--help"}, os.Stdin, &out, &out); code != exitOK {
		t.Fatalf("code %d", code)
	}
	for _, word := range []string{"Exit codes", "5 the server", "8 a change", "--token-file", "import"} {
		if !strings.Contains(strings.ReplaceAll(out.String(), "\n", " "), word) {
			t.Errorf("the help does not say %q", word)
		}
	}
}

package resp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"shredder/tenants"
)

func TestFunctions(t *testing.T) {
	p := newRig(t, nil).dial()
	p.wants(
		"FCALL add 0 2 3", ":5",
		"FCALL add 1 2 3", ":5",
		"FCALL add 2 a b", `"ab"`,
		"JS add 9007199254740991 x", `"9007199254740991x"`,
		"FCALL nosuch 0", "-ERR Function not found",
		"FCALL add x", "-ERR Bad number of keys provided",
		"FCALL add 3 1 2", "-ERR Number of keys can't be greater than number of args",
		"FCALL add -1 1 2", "-ERR Number of keys can't be negative",
		"FCALL typesOf 1 k 1 -1 007 1.5 9007199254740992 -0 \xff", `["string" "number" "number" "string" "string" "string" "string" "object"]`,
		"FCALL put 1 k v", `"v"`,
		"GET k", `"v"`,
		"FCALL_RO put 1 k w", "-ERR Write commands are not allowed from read-only scripts.",
		"GET k", `"v"`,
		"FCALL_RO add 0 1 1", ":2",
		"JS fail", "-ERR Error: no luck (line 19, column 32)",
		"JS value null", "nil",
		"JS value true", ":1",
		"JS value double", `"1.5"`,
		"JS value string", `"s"`,
		"JS value bytes", `"\x00\xff"`,
		"JS value json", `["a" [:1 "2.5" "x" nil :1] "b" []]`,
		"JS value big", fmt.Sprintf("%q", strings.Repeat("x", 200_000)),
		"JS value nothing", "nil",
	)
	p.do("HELLO 3")
	p.wants(
		"JS value null", "nil",
		"JS value true", "#t",
		"JS value double", ",1.5",
		"JS value json", `{"a" [:1 ,2.5 "x" nil #t] "b" {}}`,
	)
	if s := p.do("JS value list"); strings.Count(s, "item") != 1000 {
		t.Error(cut(s))
	}
}

func TestFunctionCommands(t *testing.T) {
	p := newRig(t, nil).dial()
	lib := "#!js name=one\nexport function f() { return 1 }"
	for code, want := range map[string]string{
		"x":                         "Missing library metadata",
		"#!":                        "Invalid library metadata",
		"#!lua name=x\n":            "Engine 'lua' not found",
		"#!js\n":                    "Library name was not given",
		"#!js name=a name=b\n":      "Invalid metadata value, name argument was given multiple times",
		"#!js name=a-b\n":           "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
		"#!js x=a\n":                "Invalid metadata value given: x=a",
		"#!js name=one\nfunction (": "Error compiling function: ",
		"#!js name=one\n\n  bad(;":  "Error compiling function: ",
	} {
		p.send(request("FUNCTION", "LOAD", "REPLACE", code))
		if s := p.read(); !strings.HasPrefix(s, "-ERR "+want) || strings.HasPrefix(want, "Error") && !strings.Contains(s, "(line ") {
			t.Errorf("%q: %s", code, s)
		}
	}
	p.wants("FUNCTION DELETE lib", "+OK", "FUNCTION DELETE lib", "-"+textNoLibrary, "FUNCTION LIST", "[]", "FCALL f 0", "-ERR Function not found")
	load := func(args ...string) string {
		p.send(request(append([]string{"FUNCTION", "LOAD"}, args...)...))
		return p.read()
	}
	if s := load(lib); s != `"one"` {
		t.Fatal(s)
	}
	p.wants("FCALL f 0", ":1",
		"FUNCTION LIST", `[["library_name" "one" "engine" "JS" "functions" [["name" "f" "description" nil "flags" []]]]]`,
		"FUNCTION LIST LIBRARYNAME o* WITHCODE", `[["library_name" "one" "engine" "JS" "functions" [["name" "f" "description" nil "flags" []]] "library_code" `+fmt.Sprintf("%q", lib)+`]]`,
		"FUNCTION LIST LIBRARYNAME x*", "[]",
		"FUNCTION STATS", `["running_script" nil "engines" ["JS" ["libraries_count" :1 "functions_count" :1]]]`)
	if s := load(lib); s != "-ERR Library 'one' already exists" {
		t.Error(s)
	}
	if s := load("#!js name=two\nexport function g() {}"); !strings.HasPrefix(s, "-ERR Library 'one' already exists, and") {
		t.Error(s)
	}
	for i := range tenants.DefaultVersions + 3 { // more than are kept
		if s := load("REPLACE", fmt.Sprintf("#!js name=v%d\nexport function f() { return %d }", i, i)); s != fmt.Sprintf(`"v%d"`, i) {
			t.Fatal(s)
		}
		p.wants("FCALL f 0", fmt.Sprint(":", i))
	}
	p.send(request("FUNCTION", "DUMP"))
	payload := p.bulk()
	p.wants("FUNCTION FLUSH", "+OK", "FCALL f 0", "-ERR Function not found", "FUNCTION FLUSH x", "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
	restore := func(payload string, more ...string) string {
		p.send(request(append([]string{"FUNCTION", "RESTORE", payload}, more...)...))
		return p.read()
	}
	for cut := range payload {
		if s := restore(payload[:cut]); s != "-"+textBadDump {
			t.Fatalf("%d bytes of a dump: %s", cut, s)
		}
	}
	if s := restore(payload); s != "+OK" {
		t.Fatal(s)
	}
	p.wants("FCALL f 0", fmt.Sprint(":", tenants.DefaultVersions+2))
	if s := restore(payload); !strings.HasPrefix(s, "-ERR Library 'v") {
		t.Error(s)
	}
	if s := restore(payload, "REPLACE"); s != "+OK" {
		t.Error(s)
	}
	p.wants("FUNCTION FLUSH", "+OK")
	p.send(request("FUNCTION", "DUMP"))
	if s := restore(p.bulk(), "FLUSH"); s != "+OK" {
		t.Error(s)
	}
}

// TestKill: a call that never ends is seen by FUNCTION STATS, ended by FUNCTION KILL,
// and gets into the slow log; what waits behind it goes on.
func TestKill(t *testing.T) {
	r := newRig(t, nil)
	victim, waiter, p := r.dial(), r.dial(), r.dial()
	p.wants("SLOWLOG LEN", ":0", "FUNCTION KILL", "-NOTBUSY No scripts in execution right now.")
	victim.send(request("FCALL", "loop", "0") + request("PING"))
	wait(t, func() bool { return strings.Contains(p.do("FUNCTION STATS"), `"name" "loop"`) })
	waiter.send(request("SET", "k", "v"))
	p.wants("GET k", "nil")
	time.Sleep(2 * slowlogNanos)
	p.wants("FUNCTION KILL", "+OK")
	if s := victim.read(); !strings.Contains(s, "killed") {
		t.Error(s)
	}
	if s := victim.read() + waiter.read(); s != "+PONG+OK" {
		t.Error(s)
	}
	if s := p.do("SLOWLOG GET"); !strings.Contains(s, `["FCALL" "loop" "0"]`) {
		t.Error(s)
	}
	if s := p.do("LATENCY HISTOGRAM fcall get nosuch"); !strings.HasPrefix(s, `["fcall" ["calls" :1 "histogram_usec" [`) || strings.Contains(s, "nosuch") {
		t.Error(s)
	}
	p.wants("SLOWLOG RESET", "+OK", "SLOWLOG LEN", ":0", "SLOWLOG GET x", "-ERR count should be greater than or equal to -1")
}

// TestPreempted: a call that takes many slices gives the right answer, others of its pipeline too.
func TestPreempted(t *testing.T) {
	r := newRig(t, nil)
	p, reader := r.dial(), r.dial()
	p.send(request("JS", "busy", "60000") + request("JS", "busy", "60000") + request("SET", "done", "1"))
	reads := 0
	for reader.do("GET done") == "nil" {
		reads++
	}
	if s := p.read() + p.read() + p.read(); s != ":1799970000:1799970000+OK" {
		t.Error(s)
	}
	if reads == 0 {
		t.Error("nothing was read while the calls ran")
	}
}

package resp

import (
	"context"
	"errors"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"shredder/jit/interp"
	"shredder/pktproc"
	"shredder/tenants"
)

// A tenant serves one library. FUNCTION LOAD puts one there, REPLACE another in its
// place; both are versions of the tenant, as the wire's FN deploys them.

const (
	textNoDeploy  = "NOPERM this connection may not change functions: AUTH with the tenant's deploy token"
	textBadDump   = "ERR DUMP payload version or checksum are wrong"
	textNoLibrary = "ERR Library not found"
)

// functionCommand executes FUNCTION.
func (c *conn) functionCommand(args [][]byte) {
	switch {
	case is(args[1], "LOAD"):
		if c.wants(args, 3, -1) && c.deploys() {
			c.functionLoad(args[2:])
		}
	case is(args[1], "LIST"):
		c.functionList(args[2:])
	case is(args[1], "DELETE"):
		if c.wants(args, 3, 3) && c.deploys() {
			c.functionDelete(string(args[2]))
		}
	case is(args[1], "FLUSH"):
		switch {
		case len(args) > 3 || len(args) == 3 && !is(args[2], "SYNC") && !is(args[2], "ASYNC"):
			c.w.Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
		case c.deploys():
			c.finish(c.unload())
		}
	case is(args[1], "STATS"):
		if c.wants(args, 2, 2) {
			c.functionStats()
		}
	case is(args[1], "KILL"):
		if c.wants(args, 2, 2) {
			c.run.add(&killOnLcore, args)
			c.run.flush()
		}
	case is(args[1], "DUMP"):
		if c.wants(args, 2, 2) {
			c.functionDump()
		}
	case is(args[1], "RESTORE"):
		if c.wants(args, 3, 4) && c.deploys() {
			c.functionRestore(args[2:])
		}
	default:
		c.unknownSub(args)
	}
}

// deploys says whether the connection may change functions, and answers if not.
func (c *conn) deploys() bool {
	if !c.mayDeploy {
		c.w.Error(textNoDeploy)
	}
	return c.mayDeploy
}

// finish answers OK or what went wrong.
func (c *conn) finish(err error) {
	if err != nil {
		c.w.Error(libraryError(err))
		return
	}
	c.w.Simple("OK")
}

// active is the library that serves, or nil.
func (c *conn) active() *tenants.Version {
	v, err := c.s.cfg.Registry.ActiveVersion(c.local.Name)
	if err != nil {
		return nil // deleted: the next command says so
	}
	return v
}

// functionLoad executes FUNCTION LOAD [REPLACE] code.
func (c *conn) functionLoad(args [][]byte) {
	replace := false
	for _, option := range args[:len(args)-1] {
		if !is(option, "REPLACE") {
			c.w.Error("ERR Unknown option given: " + oneLine(option))
			return
		}
		replace = true
	}
	code := args[len(args)-1]
	name, err := libraryName(code)
	if err == nil && !replace {
		err = c.vacant(name)
	}
	if err == nil {
		err = c.deploy(name, code)
	}
	if err != nil {
		c.w.Error(libraryError(err))
		return
	}
	c.w.BulkString(name)
}

// vacant says whether a library may be loaded without taking another's place.
func (c *conn) vacant(name string) error {
	v := c.active()
	switch {
	case v == nil:
		return nil
	case v.Library == name:
		return errors.New("Library '" + name + "' already exists")
	}
	return errors.New("Library '" + v.Library + "' already exists, and a tenant serves one: LOAD REPLACE puts '" + name + "' in its place")
}

// preludeWord in a library's first line asks for the original's functions.
const preludeWord = "prelude=original"

// libraryName reads the first line: #!js name=NAME [prelude=original].
func libraryName(code []byte) (string, error) {
	header, _, _ := strings.Cut(string(code[:min(len(code), 1024)]), "\n")
	if !strings.HasPrefix(header, "#!") {
		return "", errors.New("Missing library metadata")
	}
	words := strings.Fields(header[2:])
	if len(words) == 0 {
		return "", errors.New("Invalid library metadata")
	}
	if !strings.EqualFold(words[0], "js") {
		return "", errors.New("Engine '" + words[0] + "' not found")
	}
	name, given := "", false
	for _, w := range words[1:] {
		value, ok := strings.CutPrefix(w, "name=")
		switch {
		case w == preludeWord:
			continue
		case !ok:
			return "", errors.New("Invalid metadata value given: " + w)
		case given:
			return "", errors.New("Invalid metadata value, name argument was given multiple times")
		}
		name, given = value, true
	}
	if !given {
		return "", errors.New("Library name was not given")
	}
	valid := name != ""
	for _, ch := range []byte(name) {
		valid = valid && (ch == '_' || ch >= '0' && ch <= '9' || ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z')
	}
	if !valid {
		return "", errors.New("Library names can only contain letters, numbers, or underscores(_) and must be at least one character long")
	}
	return name, nil
}

// deploy makes code the library that serves. Its first line becomes a comment, so
// that positions hold. Where as many versions are kept as may be, the oldest goes.
func (c *conn) deploy(name string, code []byte) error {
	source := append([]byte("//"), code[2:]...)
	header, _, _ := strings.Cut(string(source), "\n")
	if slices.Contains(strings.Fields(header), preludeWord) && !strings.Contains(string(source), "\n"+interp.PreludeLine) {
		source = append(source, "\n"+interp.PreludeLine...)
	}
	reg := c.s.cfg.Registry
	for {
		_, err := reg.Deploy(c.local.Name, name, source, true)
		if !errors.Is(err, tenants.ErrLimit) {
			if err == nil {
				err = c.settled()
			}
			return err
		}
		infos, listErr := reg.Versions(c.local.Name)
		if listErr != nil {
			return listErr
		}
		dropped := false
		for _, v := range infos {
			hash, _ := tenants.ParseHash(v.Hash)
			if !v.Active && reg.DeleteVersion(c.local.Name, hash) == nil {
				dropped = true
				break
			}
		}
		if !dropped {
			return err
		}
	}
}

// settled waits until the lcores know of a change.
func (c *conn) settled() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return c.s.cfg.Registry.Settle(ctx)
}

// unload takes the library away.
func (c *conn) unload() error {
	err := c.s.cfg.Registry.Deactivate(c.local.Name)
	if errors.Is(err, tenants.ErrNoVersion) {
		return nil // there is none
	}
	if err == nil {
		err = c.settled()
	}
	return err
}

func libraryError(err error) string {
	var le *tenants.LibraryError
	text := strings.NewReplacer("\r", " ", "\n", " ").Replace(err.Error())
	switch {
	case errors.As(err, &le) && le.Line > 0:
		return "ERR Error compiling function: " + text + " (line " + strconv.Itoa(le.Line) + ", column " + strconv.Itoa(le.Column) + ")"
	case errors.As(err, &le):
		return "ERR Error compiling function: " + text
	}
	return "ERR " + text
}

func (c *conn) functionDelete(name string) {
	if v := c.active(); v == nil || v.Library != name {
		c.w.Error(textNoLibrary)
		return
	}
	c.finish(c.unload())
}

// functionList executes FUNCTION LIST [LIBRARYNAME pattern] [WITHCODE].
func (c *conn) functionList(args [][]byte) {
	pattern, withCode := "", false
	for i := 0; i < len(args); i++ {
		switch {
		case !withCode && is(args[i], "WITHCODE"):
			withCode = true
		case pattern == "" && is(args[i], "LIBRARYNAME"):
			if i++; i == len(args) {
				c.w.Error("ERR library name argument was not given")
				return
			}
			pattern = string(args[i])
		default:
			c.w.Error("ERR Unknown argument " + oneLine(args[i]))
			return
		}
	}
	v, w := c.active(), &c.w
	if v != nil && pattern != "" {
		if ok, err := path.Match(pattern, v.Library); err != nil || !ok {
			v = nil
		}
	}
	if v == nil {
		w.Array(0)
		return
	}
	w.Array(1)
	fields := 3
	if withCode {
		fields++
	}
	w.Map(fields)
	w.BulkString("library_name")
	w.BulkString(v.Library)
	w.BulkString("engine")
	w.BulkString("JS")
	w.BulkString("functions")
	w.Array(len(v.Functions))
	for _, f := range v.Functions {
		w.Map(3)
		w.BulkString("name")
		w.BulkString(f)
		w.BulkString("description")
		w.Null()
		w.BulkString("flags")
		w.Set(0)
	}
	if withCode {
		w.BulkString("library_code")
		w.BulkString(libraryCode(v))
	}
}

// libraryCode is a library as FUNCTION LOAD takes it.
func libraryCode(v *tenants.Version) string {
	source := string(v.Source)
	if name, err := libraryName([]byte("#!" + strings.TrimPrefix(source, "//"))); err == nil && name == v.Library {
		return "#!" + strings.TrimPrefix(source, "//")
	}
	return "#!js name=" + v.Library + "\n" + source // deployed otherwise
}

// functionStats executes FUNCTION STATS.
func (c *conn) functionStats() {
	w := &c.w
	libraries, functions := 0, 0
	if v := c.active(); v != nil {
		libraries, functions = 1, len(v.Functions)
	}
	c.runningCall()
	w.Map(2)
	w.BulkString("running_script")
	if call := c.running; call.Name == "" {
		w.Null()
	} else {
		w.Map(3)
		w.BulkString("name")
		w.BulkString(call.Name)
		w.BulkString("command")
		w.Array(0)
		w.BulkString("duration_ms")
		w.Int(call.Millis)
	}
	w.BulkString("engines")
	w.Map(1)
	w.BulkString("JS")
	w.Map(2)
	w.BulkString("libraries_count")
	w.Int(int64(libraries))
	w.BulkString("functions_count")
	w.Int(int64(functions))
}

// What FUNCTION KILL and FUNCTION STATS do on the lcore.
var (
	killOnLcore  = command{name: "function|kill", remote: (*run).kill}
	statsOnLcore = command{name: "function|stats", remote: (*run).running}
)

func (r *run) kill(x *pktproc.Exec, _ *item) pktproc.BatchStep {
	if x.Kill() {
		r.w.Simple("OK")
	} else {
		r.w.Error("NOTBUSY No scripts in execution right now.")
	}
	return pktproc.BatchDone
}

// runningCall asks the lcore what runs for the tenant.
func (c *conn) runningCall() {
	c.run.add(&statsOnLcore, nil)
	c.run.flush()
}

func (r *run) running(x *pktproc.Exec, _ *item) pktproc.BatchStep {
	r.c.running = x.Running()
	return pktproc.BatchDone
}

package peer

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"shredder/bench/engine"
)

// scripts are what peers run. Those in Lua and JavaScript measure themselves and
// take lines on standard input:
//
//	load FILE                   store the records of a file (engine.Set.WriteFile)
//	cycle KEYS FACTOR STEP      store the circle that engine.Set describes
//	run SECONDS FUNCTION ARG…   call for so long, once at least
//
// They answer each with a line "ok …" or "error …"; run says the median
// nanoseconds of a call and the result.
//
//go:embed scripts
var scripts embed.FS

// Script is a running interpreter that holds one data set.
type Script struct {
	*Process
	lines *bufio.Reader
	talk  *os.File
}

// scriptKinds are how each kind is started in a folder with its files.
var scriptKinds = map[string]struct {
	files []string
	argv  []string
}{
	"node-arraybuffer": {[]string{"driver.js", "arraybuffer.js"}, []string{"node", "driver.js", "arraybuffer.js", "workloads.js"}},
	"node-map":         {[]string{"driver.js", "map.js"}, []string{"node", "driver.js", "map.js", "workloads.js"}},
	"luajit":           {[]string{"driver.lua", "workloads.lua", "heap.lua"}, []string{"luajit", "driver.lua", "heap"}},
	"tarantool":        {[]string{"driver.lua", "workloads.lua", "space.lua"}, []string{"tarantool", "driver.lua", "space"}},
}

// StartScript starts an interpreter on one CPU and loads a set into it. Its files
// are in a folder of its own below dir.
func StartScript(kind string, cpu int, dir string, set *engine.Set) (*Script, error) {
	how, known := scriptKinds[kind]
	if !known {
		return nil, fmt.Errorf("no script runs %s", kind)
	}
	dir, err := os.MkdirTemp(dir, kind)
	if err != nil {
		return nil, err
	}
	for _, name := range how.files {
		b, err := scripts.ReadFile("scripts/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "records")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "workloads.js"), []byte(engine.Workloads), 0o644), set.WriteFile(data)); err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	records, bytes := set.Size()
	p, err := startTalking(kind, cpu, dir, write, append(how.argv, strconv.Itoa(records), strconv.Itoa(bytes))...)
	if err = errors.Join(err, write.Close()); err != nil { // its end is the process's now, so that we see it end
		read.Close()
		return nil, err
	}
	s := &Script{p, bufio.NewReader(read), read}
	if set.Cycle > 0 {
		_, err = s.ask(fmt.Sprintf("cycle %d %d %d", set.Cycle, engine.CycleFactor, engine.CycleStep))
	} else {
		_, err = s.ask("load " + data)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Script) ask(line string) (string, error) {
	if _, err := s.stdin.Write([]byte(line + "\n")); err != nil {
		return "", fmt.Errorf("%s: %w: %s", s.Name, err, tail(s.out.from(0)))
	}
	reply, err := s.lines.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", s.Name, err, tail(s.out.from(0)))
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(reply), "ok")
	if !ok {
		return "", fmt.Errorf("%s: %s: %s", s.Name, line, strings.TrimSpace(reply))
	}
	return rest, nil
}

// Run calls a function for so long, once at least, and returns the median
// nanoseconds of a call and its result.
func (s *Script) Run(length time.Duration, function string, args ...int64) (nanos, result float64, err error) {
	reply, err := s.ask(fmt.Sprint("run ", length.Seconds(), " ", function, " ", strings.Trim(fmt.Sprint(args), "[]")))
	if err != nil {
		return 0, 0, err
	}
	if _, err := fmt.Sscan(reply, &nanos, &result); err != nil {
		return 0, 0, fmt.Errorf("%s: %s replies %q: %w", s.Name, function, reply, err)
	}
	return nanos, result, nil
}

// Stop ends the interpreter.
func (s *Script) Stop() error { return errors.Join(s.Process.Stop(), s.talk.Close()) }

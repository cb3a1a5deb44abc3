package client

import (
	"context"
	"encoding/json"
	"iter"
	"time"

	"shredder/pktproc/wire"
)

// Deploy uploads a library and returns its version's hash, 64 hexadecimal
// digits; with activate it serves calls from now on. Deploying the same source
// again gives the same version. *LibraryError: it does not load, and the
// version before goes on serving. This and the next three need the Deploy role.
func (c *Client) Deploy(ctx context.Context, name string, source []byte, activate bool) (hash string, err error) {
	if name == "" || len(name) > wire.MaxNameLen {
		return "", &Error{Status: wire.StatusBadArgument, Reason: "a library's name has 1 to 128 bytes"}
	}
	flags := uint64(0)
	if activate {
		flags = wire.FnFlagActivate
	}
	deploy := func(opFlags uint8, push uint64, source []byte) error {
		r := c.newRequest()
		defer c.free(r)
		r.w.Begin(wire.OpFn, opFlags, 0)
		r.w.Word(wire.FnDeploy)
		r.w.Word(flags)
		if opFlags != 0 {
			r.w.Word(push)
		}
		r.w.Key([]byte(name))
		r.w.Value(source)
		op, err := c.one(ctx, r, 0)
		if err == nil {
			hash = string(op.Value())
		}
		return err
	}
	if len(source) <= inlineRoom(2, len(name)) {
		return hash, deploy(0, 0, source)
	}
	err = c.withPush(ctx, source, func(push uint64) error { return deploy(wire.OpFlagPushed, push, nil) })
	return hash, err
}

// Activate makes a deployed version the one that serves calls.
func (c *Client) Activate(ctx context.Context, hash string) error {
	_, err := c.fn(ctx, wire.FnActivate, hash)
	return err
}

// Rollback makes the version serve that was active before; ErrNoVersion if
// there is none.
func (c *Client) Rollback(ctx context.Context) error {
	_, err := c.fn(ctx, wire.FnRollback, "")
	return err
}

// DeleteVersion removes a version that is not active; ErrConflict if it is.
func (c *Client) DeleteVersion(ctx context.Context, hash string) error {
	_, err := c.fn(ctx, wire.FnDelete, hash)
	return err
}

// Version is one deployed version of the tenant's library.
type Version struct {
	Hash           string   `json:"hash"`
	Library        string   `json:"library"`
	Functions      []string `json:"functions"`
	SourceSize     int      `json:"source_size"` // bytes
	DeployedMillis int64    `json:"deployed_ms"` // since 1970
	Active         bool     `json:"active"`
}

// Versions lists the tenant's versions, for either role.
func (c *Client) Versions(ctx context.Context) ([]Version, error) {
	text, err := c.fn(ctx, wire.FnList, "")
	if err != nil {
		return nil, err
	}
	var list struct {
		Versions []Version `json:"versions"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, ErrBadReply
	}
	return list.Versions, nil
}

// Explanation says how a version's functions run.
type Explanation struct {
	Library   string            `json:"library"`
	Hash      string            `json:"hash"`
	Active    bool              `json:"active"` // counts are those of the active version only, since it became so
	Trust     string            `json:"trust"`  // of the tenant: sandboxed or trusted
	Functions []FunctionProfile `json:"functions"`
}

// FunctionProfile says how one function runs: on tier 0, the interpreter, or on
// tier 1, compiled for the argument types of each form.
type FunctionProfile struct {
	Name         string        `json:"name"`
	Tier         int           `json:"tier"`
	Reason       *Place        `json:"reason,omitempty"` // why on tier 0
	Forms        []FormProfile `json:"forms"`
	Calls        [2]uint64     `json:"calls"`  // by tier
	Deopts       uint64        `json:"deopts"` // runs of tier 1 that were given up
	Compilations uint64        `json:"compilations"`
	// Averages of a call.
	Fuel          float64 `json:"fuel"`
	Lookups       float64 `json:"lookups"`
	BytesRead     float64 `json:"bytes_read"`
	BytesReturned float64 `json:"bytes_returned"`
}

// FormProfile is a function for one list of argument types.
type FormProfile struct {
	Arguments []string       `json:"arguments"`
	State     string         `json:"state"`
	CodeSize  int            `json:"code_size"` // bytes
	Widened   int            `json:"widened"`   // guards that were
	Guards    []GuardProfile `json:"guards"`    // that failed
	Reason    *Place         `json:"reason,omitempty"`
}

// GuardProfile is a check in compiled code and how often it failed.
type GuardProfile struct {
	Place
	Failed uint64 `json:"failed"`
}

// Place is something to say about a place in the source, whose line is Source.
// Line and Column count from 1, 0 if there is no place.
type Place struct {
	Text   string `json:"text"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Source string `json:"source,omitempty"`
}

// Explain says how the functions of a version run, or with an empty hash those of
// the active one: tiers, reasons, types, guards and costs. It needs the Deploy role.
func (c *Client) Explain(ctx context.Context, hash string) (*Explanation, error) {
	text, err := c.fn(ctx, wire.FnExplain, hash)
	if err != nil {
		return nil, err
	}
	e := new(Explanation)
	if err := json.Unmarshal(text, e); err != nil {
		return nil, ErrBadReply
	}
	return e, nil
}

func (c *Client) fn(ctx context.Context, verb uint64, hash string) ([]byte, error) {
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpFn, 0, 0)
	r.w.Word(verb)
	r.w.Value([]byte(hash))
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return nil, err
	}
	return c.wholeValue(ctx, r, 0, op)
}

// Stats returns the tenant's counters, limits, versions and memory, as the
// server's JSON.
func (c *Client) Stats(ctx context.Context) (json.RawMessage, error) {
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpStats, 0, 0)
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return nil, err
	}
	return c.wholeValue(ctx, r, 0, op)
}

// LogRecord is one line of the tenant's log.
type LogRecord struct {
	Seq   uint64 // counts up; a gap means that lines were overwritten unread
	Time  time.Time
	Level uint16
	Text  string
}

// LogOptions are for Logs.
type LogOptions struct {
	From   uint64        // the first sequence number wanted; 0: the oldest there is
	Follow bool          // go on, waiting for new lines, until the context ends
	Every  time.Duration // how often to ask when following; default 250 ms
}

// logsPerReply: a record takes at least 24 bytes of a reply.
const logsPerReply = 64

// Logs walks the tenant's log: what console.log said, and uncaught errors. An
// error, also the context's, ends the walk.
func (c *Client) Logs(ctx context.Context, o LogOptions) iter.Seq2[LogRecord, error] {
	if o.Every <= 0 {
		o.Every = 250 * time.Millisecond
	}
	return func(yield func(LogRecord, error) bool) {
		tick := time.NewTicker(o.Every)
		defer tick.Stop()
		for from := o.From; ; {
			records, next, err := c.LogPage(ctx, from)
			if err != nil {
				yield(LogRecord{}, err)
				return
			}
			for _, record := range records {
				if !yield(record, nil) {
					return
				}
			}
			from = next
			if len(records) > 0 {
				continue
			}
			if !o.Follow {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				yield(LogRecord{}, ctx.Err())
				return
			}
		}
	}
}

// LogPage returns the records from a sequence number on that fit a reply, and
// the number to go on with.
func (c *Client) LogPage(ctx context.Context, from uint64) (records []LogRecord, next uint64, err error) {
	r := c.newRequest()
	defer c.free(r)
	r.w.Begin(wire.OpLogs, 0, 0)
	r.w.Word(from)
	r.w.Word(logsPerReply)
	op, err := c.one(ctx, r, 0)
	if err != nil {
		return nil, 0, err
	}
	rest := op.Value()
	for range op.Word(1) {
		var l wire.LogRecord
		var st wire.Status
		if l, rest, st = wire.FirstLog(rest); st != wire.StatusOK {
			return nil, 0, ErrBadReply
		}
		records = append(records, LogRecord{Seq: l.Seq, Time: time.UnixMilli(l.UnixMillis), Level: l.Level, Text: string(l.Text)})
	}
	return records, op.Word(0), nil
}

package resp

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"shredder/internal/resp/proto"
	"shredder/pktproc/wire"
)

// jsonDepth is how deep a result may be nested.
const jsonDepth = 1000

var errDeep = errors.New("it is nested too deep")

// node is a JSON value with its members in order: a reply says their number first.
type node struct {
	token   json.Token // nil: null; a Delim: the members are below
	members []node     // of an object: names and values in turn
}

// appendJSON answers with a JSON text: arrays as arrays, objects as maps, numbers as
// integers where they are safe ones.
func appendJSON(w *proto.Writer, text []byte) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	n, err := readNode(d, 0)
	if err != nil {
		w.Error("ERR The function's result cannot be read: " + err.Error())
		return
	}
	n.append(w)
}

func readNode(d *json.Decoder, depth int) (n node, err error) {
	if n.token, err = d.Token(); err != nil {
		return n, err
	}
	if _, ok := n.token.(json.Delim); !ok {
		return n, nil
	}
	if depth == jsonDepth {
		return n, errDeep
	}
	for d.More() {
		m, err := readNode(d, depth+1)
		if err != nil {
			return n, err
		}
		n.members = append(n.members, m)
	}
	_, err = d.Token() // the end
	return n, err
}

func (n *node) append(w *proto.Writer) {
	switch v := n.token.(type) {
	case nil:
		w.Null()
	case bool:
		w.Bool(v)
	case string:
		w.BulkString(v)
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil && wire.SafeInt(i) {
			w.Int(i)
		} else if f, err := v.Float64(); err == nil {
			w.Double(f)
		} else {
			w.BulkString(string(v))
		}
	case json.Delim:
		if v == '{' {
			w.Map(len(n.members) / 2)
		} else {
			w.Array(len(n.members))
		}
		for i := range n.members {
			n.members[i].append(w)
		}
	}
}

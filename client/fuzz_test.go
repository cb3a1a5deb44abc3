package client

import (
	"encoding/binary"
	"testing"

	"shredder/pktproc/wire"
)

// FuzzTrial holds that whatever a server sends as a result or as the reply of
// TRY is decoded or refused, without a panic, and that no view of it grows.
func FuzzTrial(f *testing.F) {
	b := binary.LittleEndian.AppendUint32(nil, 9)
	b = wire.AppendInt(b, 42)
	b = wire.AppendBytesItem(b, []byte("key"), false, []byte("value"))
	f.Add(wire.AppendIntItem(b, 7, true, nil))
	f.Add(wire.AppendJSON(nil, []byte(`{"a":[1]}`)))
	f.Add(wire.AppendString(nil, "text"))
	f.Add(wire.AppendDouble(nil, 2.5))
	f.Fuzz(func(t *testing.T, b []byte) {
		var trial Trial
		if err := trial.decode(b); err == nil {
			for _, w := range trial.Writes {
				if w.Deleted != (w.Value == nil) || w.Key.valid() != nil {
					t.Fatalf("%+v", w)
				}
			}
		}
		v, err := parseValue(b)
		if err != nil {
			return
		}
		_ = v.String()
		_, _ = v.MarshalJSON()
		again, err := AppendArg(nil, v)
		if err != nil || string(again) != string(b) {
			t.Fatalf("%x came back as %x, %v", b, again, err)
		}
		var x any
		if v.Kind() != KindJSON {
			if err := v.Decode(&x); err != nil {
				t.Fatal(err)
			}
		}
	})
}

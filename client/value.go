package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"shredder/pktproc/wire"
)

// JSON is an argument that is JSON text already.
type JSON []byte

// AppendArg appends v as an argument: nil; booleans; integers of magnitude
// below 2^53; floats; strings; []byte (bytes in JavaScript); JSON and
// json.RawMessage as they are; anything else by json.Marshal.
func AppendArg(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return wire.AppendNull(dst), nil
	case bool:
		return wire.AppendBool(dst, v), nil
	case string:
		return wire.AppendString(dst, v), nil
	case []byte:
		return wire.AppendBytes(dst, v), nil
	case JSON:
		return appendJSON(dst, v)
	case json.RawMessage:
		return appendJSON(dst, v)
	case Value:
		if len(v.encoded) == 0 {
			return wire.AppendNull(dst), nil
		}
		return append(dst, v.encoded...), nil
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return appendInt(dst, r.Int(), wire.SafeInt(r.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return appendInt(dst, int64(r.Uint()), r.Uint() <= wire.MaxSafeInt)
	case reflect.Float32, reflect.Float64:
		return wire.AppendDouble(dst, r.Float()), nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return dst, &Error{Status: wire.StatusBadArgument, Reason: err.Error()}
	}
	return wire.AppendJSON(dst, text), nil
}

func appendInt(dst []byte, n int64, safe bool) ([]byte, error) {
	if !safe {
		return dst, &Error{Status: wire.StatusBadArgument, Reason: "an integer argument must lie within ±(2^53 − 1)"}
	}
	return wire.AppendInt(dst, n), nil
}

func appendJSON(dst, text []byte) ([]byte, error) {
	if !json.Valid(text) {
		return dst, &Error{Status: wire.StatusBadArgument, Reason: "an argument is not valid JSON"}
	}
	return wire.AppendJSON(dst, text), nil
}

// Kind is the type of a Value.
type Kind uint8

// The kinds of values that functions take and return.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindDouble
	KindString
	KindBytes
	KindJSON
)

var kindNames = [...]string{"null", "boolean", "integer", "double", "string", "bytes", "JSON"}

func (k Kind) String() string { return kindNames[k] }

// Value is what a function returned. The zero Value is null.
type Value struct{ encoded wire.Arg }

// parseValue takes b over, which must be one encoded value and no more.
func parseValue(b []byte) (Value, error) {
	a, rest, st := wire.FirstArg(b)
	if st != wire.StatusOK || len(rest) != 0 {
		return Value{}, ErrBadReply
	}
	return Value{a}, nil
}

// Kind is the value's type.
func (v Value) Kind() Kind {
	if len(v.encoded) == 0 {
		return KindNull
	}
	switch v.encoded.Tag() {
	case wire.TagFalse, wire.TagTrue:
		return KindBool
	case wire.TagInt:
		return KindInt
	case wire.TagDouble:
		return KindDouble
	case wire.TagString:
		return KindString
	case wire.TagBytes:
		return KindBytes
	case wire.TagJSON:
		return KindJSON
	}
	return KindNull
}

// KindError says that a value is not of the kind that was asked for.
type KindError struct {
	Got  Kind
	Want string
}

func (e *KindError) Error() string {
	return fmt.Sprintf("the function returned %v, not %s", e.Got, e.Want)
}

// IsNull says whether the function returned null or undefined.
func (v Value) IsNull() bool { return v.Kind() == KindNull }

// Bool returns a boolean, or *KindError.
func (v Value) Bool() (bool, error) {
	if v.Kind() != KindBool {
		return false, &KindError{v.Kind(), "a boolean"}
	}
	return v.encoded.Tag() == wire.TagTrue, nil
}

// Int returns an integer, or *KindError.
func (v Value) Int() (int64, error) {
	if v.Kind() != KindInt {
		return 0, &KindError{v.Kind(), "an integer"}
	}
	return v.encoded.Int(), nil
}

// Float returns any number, or *KindError.
func (v Value) Float() (float64, error) {
	switch v.Kind() {
	case KindInt:
		return float64(v.encoded.Int()), nil
	case KindDouble:
		return v.encoded.Double(), nil
	}
	return 0, &KindError{v.Kind(), "a number"}
}

// Text returns a string, or *KindError.
func (v Value) Text() (string, error) {
	if v.Kind() != KindString {
		return "", &KindError{v.Kind(), "a string"}
	}
	return string(v.encoded.Bytes()), nil
}

// Bytes returns bytes, as typed arrays and buffers come, or *KindError.
func (v Value) Bytes() ([]byte, error) {
	if v.Kind() != KindBytes {
		return nil, &KindError{v.Kind(), "bytes"}
	}
	return bytes.Clone(v.encoded.Bytes()), nil
}

// Any returns nil, bool, int64, float64, string, []byte, or for JSON what
// json.Unmarshal makes of it.
func (v Value) Any() (any, error) {
	switch v.Kind() {
	case KindBool:
		return v.encoded.Tag() == wire.TagTrue, nil
	case KindInt:
		return v.encoded.Int(), nil
	case KindDouble:
		return v.encoded.Double(), nil
	case KindString:
		return string(v.encoded.Bytes()), nil
	case KindBytes:
		return bytes.Clone(v.encoded.Bytes()), nil
	case KindJSON:
		var x any
		err := json.Unmarshal(v.encoded.Bytes(), &x)
		return x, err
	}
	return nil, nil
}

// Decode stores the value in *target: a pointer to bool, a number, string,
// []byte or any of the like kind; anything else is decoded as JSON.
func (v Value) Decode(target any) error {
	switch t := target.(type) {
	case *any:
		x, err := v.Any()
		*t = x
		return err
	case *[]byte:
		if v.Kind() == KindBytes {
			*t = bytes.Clone(v.encoded.Bytes())
			return nil
		}
	case *Value:
		*t = v
		return nil
	}
	if v.Kind() == KindBytes {
		return &KindError{KindBytes, fmt.Sprintf("what %T holds", target)}
	}
	text, err := v.MarshalJSON()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, target); err != nil {
		return fmt.Errorf("the function returned %v: %w", v.Kind(), err)
	}
	return nil
}

// MarshalJSON is the value as JSON: bytes as base64, doubles that JSON cannot
// say (NaN, infinities) as strings.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.Kind() {
	case KindJSON:
		if !json.Valid(v.encoded.Bytes()) {
			return nil, ErrBadReply
		}
		return bytes.Clone(v.encoded.Bytes()), nil
	case KindDouble:
		f := v.encoded.Double()
		if f != f || f-f != 0 {
			return json.Marshal(strconv.FormatFloat(f, 'g', -1, 64))
		}
	}
	x, err := v.Any()
	if err != nil {
		return nil, err
	}
	return json.Marshal(x)
}

// String is the value as people write it: strings and bytes as they are,
// everything else as JSON.
func (v Value) String() string {
	switch v.Kind() {
	case KindString, KindBytes:
		return string(v.encoded.Bytes())
	case KindDouble:
		return strconv.FormatFloat(v.encoded.Double(), 'g', -1, 64)
	}
	text, err := v.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

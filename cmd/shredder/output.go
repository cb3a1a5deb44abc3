package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"shredder/client"
)

// printJSON prints one line of JSON.
func (a *app) printJSON(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.stdout, "%s\n", b)
	return err
}

// print prints text, or in JSON mode v.
func (a *app) print(v any, format string, args ...any) error {
	if a.output == "json" {
		return a.printJSON(v)
	}
	_, err := fmt.Fprintf(a.stdout, format, args...)
	return err
}

func (a *app) printError(err error, code int) {
	if a.output != "json" {
		fmt.Fprintf(a.stderr, "shredder: %v\n", err)
		return
	}
	out := map[string]any{"error": err.Error(), "code": code}
	var conflict *client.ConflictError
	if errors.As(err, &conflict) {
		out["version"] = conflict.Version
	}
	var line, column int
	var threw *client.FunctionError
	var library *client.LibraryError
	if errors.As(err, &threw) {
		line, column = threw.Line, threw.Column
	} else if errors.As(err, &library) {
		line, column = library.Line, library.Column
	}
	if line > 0 {
		out["line"], out["column"] = line, column
	}
	b, _ := json.Marshal(out) // strings and numbers only
	fmt.Fprintf(a.stderr, "%s\n", b)
}

// jsonKey is a key in JSON: a number, a string, or bytes that are no text.
func jsonKey(k client.StoreKey) any {
	if n, ok := k.Integer(); ok {
		return n
	}
	return jsonBytes([]byte(k.String()))
}

// jsonBytes is text as a string, anything else as {"base64": …}.
func jsonBytes(b []byte) any {
	if utf8.Valid(b) {
		return string(b)
	}
	return map[string]string{"base64": base64.StdEncoding.EncodeToString(b)}
}

// jsonValue is a function's result in JSON.
func jsonValue(v client.Value) any {
	if b, err := v.Bytes(); err == nil {
		return map[string]string{"base64": base64.StdEncoding.EncodeToString(b)}
	}
	return v
}

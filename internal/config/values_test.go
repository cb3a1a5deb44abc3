package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shredder/jit"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]Size{"0": 0, "17": 17, "17B": 17, "64KiB": 64 << 10, " 2 MiB ": 2 << 20, "3GiB": 3 << 30, "1TiB": 1 << 40} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%q is %d, %v: want %d", text, s, err, want)
		}
		var back Size
		if err := back.UnmarshalText([]byte(s.String())); err != nil || back != s {
			t.Errorf("%q written as %q is %d, %v", text, s, back, err)
		}
	}
	for _, text := range []string{"", "MiB", "1MB", "-1", "1.5GiB", "9999999TiB", "18446744073709551616"} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %d: want an error", text, s)
		}
	}
}

func TestFuelAndDuration(t *testing.T) {
	for text, want := range map[string]Fuel{"5ms": 5 * jit.FuelPerMilli, "1s": 1000 * jit.FuelPerMilli, "123": 123} {
		var f Fuel
		if err := f.UnmarshalText([]byte(text)); err != nil || f != want {
			t.Errorf("%q is %d, %v: want %d", text, f, err, want)
		}
	}
	for _, text := range []string{"-1", "5 apples", "-1s", "100h"} {
		var f Fuel
		if err := f.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("fuel %q is %d: want an error", text, f)
		}
	}
	var d Duration
	if err := d.UnmarshalText([]byte("1500ms")); err != nil || time.Duration(d) != 1500*time.Millisecond {
		t.Errorf("%v, %v", time.Duration(d), err)
	}
	if err := d.UnmarshalText([]byte("-1s")); err == nil {
		t.Error("a negative duration is taken")
	}
}

// TestWholeNumbers: no number of a file is bent to fit.
func TestWholeNumbers(t *testing.T) {
	const tenant = "tenants: [{name: a, no-token: true, no-deploy-token: true, "
	load := func(text string) (Config, error) {
		path := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return Load(Sources{File: path})
	}
	for text, want := range map[string]string{
		"base-port: 70000":                           "'base-port' 70000: want a number from 0 to 65535",
		"base-port: -1":                              "'base-port' -1: want a number from 0 to 65535",
		"base-port: 9000.5":                          "'base-port' 9000.5: want a whole number",
		"base-port: true":                            "'base-port' true: want a whole number",
		"sessions: {idle: 500ms}":                    "sessions.idle: 500ms: want at least 1s",
		"sessions: {max: 300000}":                    "sessions.max: 300000: an lcore has at most 262144",
		"runtimes: 1.9":                              "'runtimes' 1.9: want a whole number",
		"runtimes: 18446744073709551615":             "want a number from -9223372036854775808",
		tenant + "id: -1}]":                          "'tenants[0].id' -1: want a number from 0 to 4294967295",
		tenant + "id: 4294967296}]":                  "'tenants[0].id' 4294967296: want",
		tenant + "limits: {depth: 1e300}}]":          "'tenants[0].limits.depth' 1e+300: want a whole number",
		tenant + "limits: {calls-per-second: 0.5}}]": "'tenants[0].limits.calls-per-second' 0.5: want a whole number",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	c, err := load("base-port: 9100\nlcores: [-1, 1.0]\n" + tenant + "id: 4294967295, limits: {depth: 7}}]")
	if err != nil || c.BasePort != 9100 || c.Lcores[1] != 1 || c.Tenants[0].ID != 1<<32-1 || *c.Tenants[0].Limits.Depth != 7 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := ParseTenant(map[string]any{"name": "a", "id": json.Number("4294967296")}); err == nil {
		t.Error("an id of 33 bits is taken over the admin API")
	}
}

func TestNearest(t *testing.T) {
	names := []string{"port", "base-port", "listen", "lcores"}
	for text, want := range map[string]string{"lcore": "lcores", "base_port": "base-port", "listn": "listen", "prot": "port"} {
		if got := nearest(text, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", text, got, want)
		}
	}
}

// TestKeys holds that no two keys share a flag or a variable, and each has a help line.
func TestKeys(t *testing.T) {
	seen := map[string]string{}
	for _, k := range Keys() {
		for _, name := range []string{k.Flag(), k.Env()} {
			if other, taken := seen[name]; taken {
				t.Errorf("%s and %s share %s", k.Name, other, name)
			}
			seen[name] = k.Name
		}
		if k.Help == "" {
			t.Errorf("%s has no help", k.Name)
		}
	}
}

func TestTenant(t *testing.T) {
	c, err := ParseTenant(map[string]any{"name": "a", "quota": "2MiB", "token": "x", "no-deploy-token": true,
		"development": true, "limits": map[string]any{"depth": 12, "deadline": "3s"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Spec()
	want := jit.DevelopmentLimits()
	want.Depth, want.DeadlineMillis = 12, 3000
	if err != nil || s.Quota != 2<<20 || string(s.DataToken) != "x" || s.Home != -1 || s.Limits != want {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = ParseTenant(map[string]any{"nme": "a", "quota": "much"})
	for _, part := range []string{`did you mean "name"`, `size "much"`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v: want %s", err, part)
		}
	}
}

// TestPrint holds that what --check-config prints is a configuration again.
func TestPrint(t *testing.T) {
	c := Default()
	c.development()
	c.addDevTenant()
	path := t.TempDir() + "/c.yaml"
	write(t, path, c.Print())
	again, err := Load(Sources{File: path})
	if err != nil || again.Print() != c.Print() {
		t.Errorf("%v:\n%s\nwas\n%s", err, again.Print(), c.Print())
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"shredder/bench/load"
	"shredder/pktproc/wire"
)

var defaultMAC = [6]byte{2, 0, 0, 0, 0, 2}

// config turns the flags into a load.Config, checking what it does not check.
func (o *options) config() (load.Config, error) {
	cfg := load.Config{
		Tenant: o.tenant, Tenants: o.tenants, OpsPerDatagram: o.ops,
		Keys: o.keys, KeySize: o.keySize, ValueSize: o.valueSize,
		Zipf: o.zipf, Theta: o.theta, Seed: o.seed, Function: o.function,
	}
	var errs []error
	var err error
	cfg.Local, err = endpoint(o.local, o.localMAC, defaultMAC)
	errs = append(errs, err)
	cfg.Remote, err = endpoint(o.remote, o.remoteMAC, [6]byte{2, 0, 0, 0, 0, 1})
	errs = append(errs, err)
	cfg.Mix, err = parseMix(o.mix)
	errs = append(errs, err)
	cfg.Args, err = encodeArgs(o.args)
	errs = append(errs, err)
	for _, s := range cfg.Mix {
		if s.Kind == load.Call && s.Weight > 0 && o.function == "" {
			errs = append(errs, errors.New("--function: a call needs one"))
		}
	}
	if o.mode != "closed" && o.mode != "open" && o.mode != "flood" {
		errs = append(errs, fmt.Errorf("--mode %q: want closed, open or flood", o.mode))
	}
	if o.output != "text" && o.output != "json" {
		errs = append(errs, fmt.Errorf("--output %q: want text or json", o.output))
	}
	if o.duration <= 0 || o.sessions < 1 {
		errs = append(errs, errors.New("--duration and --sessions: want more than 0"))
	}
	return cfg, errors.Join(errs...)
}

func endpoint(address, mac string, fallback [6]byte) (load.Endpoint, error) {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return load.Endpoint{}, err
	}
	e := load.Endpoint{MAC: fallback, IP: at.Addr().Unmap(), Port: at.Port()}
	if mac == "" {
		return e, nil
	}
	hw, err := net.ParseMAC(mac)
	if err != nil || len(hw) != 6 {
		return e, fmt.Errorf("MAC address %q: want six bytes", mac)
	}
	e.MAC = [6]byte(hw)
	return e, nil
}

// parseMix reads "get=50,set=50"; a kind alone has weight 1.
func parseMix(text string) ([]load.Share, error) {
	var mix []load.Share
	for part := range strings.SplitSeq(text, ",") {
		name, weight, given := strings.Cut(strings.TrimSpace(part), "=")
		kind, err := load.ParseKind(name)
		if err != nil {
			return nil, err
		}
		share := load.Share{Kind: kind, Weight: 1}
		if given {
			if share.Weight, err = strconv.Atoi(weight); err != nil || share.Weight < 0 {
				return nil, fmt.Errorf("--mix %q: weight %q is no number", text, weight)
			}
		}
		mix = append(mix, share)
	}
	return mix, nil
}

// encodeArgs encodes a JSON array as a call's arguments: objects and arrays as
// JSON, integers and other numbers as such.
func encodeArgs(text string) ([]byte, error) {
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("--args: %w", err)
	}
	var out []byte
	for _, raw := range list {
		switch raw[0] {
		case 'n':
			out = wire.AppendNull(out)
		case 't', 'f':
			out = wire.AppendBool(out, raw[0] == 't')
		case '"':
			var s string
			if err := json.Unmarshal(raw, &s); err != nil {
				return nil, fmt.Errorf("--args: %w", err)
			}
			out = wire.AppendString(out, s)
		case '{', '[':
			out = wire.AppendJSON(out, raw)
		default:
			if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil && wire.SafeInt(n) {
				out = wire.AppendInt(out, n)
				continue
			}
			f, err := strconv.ParseFloat(string(raw), 64)
			if err != nil {
				return nil, fmt.Errorf("--args: %w", err)
			}
			out = wire.AppendDouble(out, f)
		}
	}
	return out, nil
}

// readToken reads the token file, without the line end that editors add.
func (o *options) readToken() ([]byte, error) {
	if o.token == "" {
		return nil, nil
	}
	b, err := os.ReadFile(o.token)
	return bytes.TrimRight(b, "\r\n"), err
}

package config

import (
	"fmt"
	"math"
	"net"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"shredder/jit"
)

// Size is a number of bytes, written as "64MiB", "1GiB" or a plain number.
type Size uint64

var sizeUnits = []struct {
	suffix string
	factor uint64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}, {"", 1}}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	t := strings.TrimSpace(string(text))
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(t, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 64)
		if err != nil {
			break
		}
		if n > math.MaxInt64/u.factor {
			return fmt.Errorf("size %q is too large", t)
		}
		*s = Size(n * u.factor)
		return nil
	}
	return fmt.Errorf("size %q: want a whole number of bytes, or one with KiB, MiB, GiB or TiB", t)
}

// MarshalText writes the size with the largest unit that divides it.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s Size) String() string {
	for i := len(sizeUnits) - 3; i >= 0; i-- {
		if u := sizeUnits[i]; s != 0 && uint64(s)%u.factor == 0 {
			return strconv.FormatUint(uint64(s)/u.factor, 10) + u.suffix
		}
	}
	return strconv.FormatUint(uint64(s), 10)
}

// Duration is a span of time, written as "1s", "500ms" or "2m".
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("duration %q: want one like 500ms, 1s or 2m", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the duration.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Fuel is an amount of fuel, written as core time ("5ms") or as plain units.
type Fuel int64

// UnmarshalText reads an amount of fuel.
func (f *Fuel) UnmarshalText(text []byte) error {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil && n >= 0 {
		*f = Fuel(n)
		return nil
	}
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 || v > time.Hour {
		return fmt.Errorf("fuel %q: want core time like 5ms, or a whole number of units (%d to the millisecond)", text, jit.FuelPerMilli)
	}
	*f = Fuel(v.Microseconds() * jit.FuelPerMilli / 1000)
	return nil
}

// MAC is a hardware address, written as "02:00:00:00:00:01"; all zeros are none.
type MAC [6]byte

// UnmarshalText reads a hardware address that one station may have.
func (m *MAC) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*m = MAC{}
		return nil
	}
	hw, err := net.ParseMAC(string(text))
	if err != nil || len(hw) != len(m) || hw[0]&1 != 0 {
		return fmt.Errorf("hardware address %q: want six bytes like 02:00:00:00:00:01, the first one even", text)
	}
	copy(m[:], hw)
	return nil
}

// MarshalText writes the address, nothing for none.
func (m MAC) MarshalText() ([]byte, error) {
	if m == (MAC{}) {
		return nil, nil
	}
	return []byte(net.HardwareAddr(m[:]).String()), nil
}

// Secret is a token. It is never printed.
type Secret string

// UnmarshalText reads a token.
func (s *Secret) UnmarshalText(text []byte) error { *s = Secret(text); return nil }

// MarshalText hides the token.
func (s Secret) MarshalText() ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	return []byte("(set)"), nil
}

func (s Secret) String() string { t, _ := s.MarshalText(); return string(t) }

// defaultMemory is half of the machine's memory, or 1 GiB where that is unknown:
// the default budget for tenants.
func defaultMemory() Size {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 1 << 30
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[0] == "MemTotal:" {
			if kib, err := strconv.ParseUint(fields[1], 10, 50); err == nil {
				return Size(kib * 1024 / 2 >> 20 << 20)
			}
		}
	}
	return 1 << 30
}

// numbersAsText lets the types above be written as YAML numbers, where a plain
// number means something.
func numbersAsText(from, to reflect.Type, data any) (any, error) {
	switch to {
	case reflect.TypeFor[Duration]():
		if from.Kind() != reflect.String && from != to {
			return nil, fmt.Errorf("duration %v: want one with a unit, like 500ms, 1s or 2m", data)
		}
	case reflect.TypeFor[Size](), reflect.TypeFor[Fuel](), reflect.TypeFor[Secret]():
		if from.Kind() != reflect.String && from != to {
			return fmt.Sprint(data), nil
		}
	}
	return data, nil
}

// wholeNumbers refuses what decoding would bend to fit an integer: a fraction, a
// truth value, a number out of the type's range (base-port: 70000 would be 4464).
func wholeNumbers(from, to reflect.Type, data any) (any, error) {
	zero := reflect.Zero(to)
	if !zero.CanInt() && !zero.CanUint() {
		return data, nil
	}
	v := reflect.ValueOf(data)
	whole, negative, size := true, false, uint64(0)
	switch {
	case v.CanInt():
		negative, size = v.Int() < 0, uint64(v.Int())
	case v.CanUint():
		size = v.Uint()
	case v.CanFloat():
		f := v.Float()
		whole = f == math.Trunc(f) && math.Abs(f) < 1<<53
		negative, size = f < 0, uint64(int64(f))
	default:
		whole = from.Kind() != reflect.Bool // text says itself what is wrong with it
		if whole {
			return data, nil
		}
	}
	switch {
	case !whole:
		return nil, fmt.Errorf("%v: want a whole number", data)
	case zero.CanUint() && (negative || zero.OverflowUint(size)):
		return nil, fmt.Errorf("%v: want a number from 0 to %d", data, uint64(math.MaxUint64)>>(64-to.Bits()))
	case zero.CanInt() && (negative != (int64(size) < 0) || zero.OverflowInt(int64(size))):
		return nil, fmt.Errorf("%v: want a number from %d to %d", data, int64(math.MinInt64)>>(64-to.Bits()), int64(math.MaxInt64)>>(64-to.Bits()))
	}
	return data, nil
}

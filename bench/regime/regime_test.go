package regime

import "testing"

func TestSame(t *testing.T) {
	for _, c := range []struct {
		a, b Distance
		same bool
	}{{52, 60, true}, {52, 135, false}, {590, 135, false}, {590, 500, true}, {0, 52, false}, {100, 140, true}, {100, 141, false}} {
		if Same(c.a, c.b) != c.same || Same(c.b, c.a) != c.same {
			t.Errorf("Same(%v, %v) is not %v", c.a, c.b, c.same)
		}
	}
}

func TestMeasureRefusesAnAbsentCPU(t *testing.T) {
	if _, err := Measure(0, 1000); err == nil {
		t.Error("CPU 1000 was accepted")
	}
}

package jsmath

import "math"

// Sin is the sine.
func Sin(x float64) float64 {
	y0, y1, n, ok := reduce(x)
	if !ok {
		return math.NaN()
	}
	switch n & 3 {
	case 0:
		return sine(y0, y1, n != 0 || y0 != x)
	case 1:
		return cosine(y0, y1)
	case 2:
		return -sine(y0, y1, true)
	}
	return -cosine(y0, y1)
}

// Cos is the cosine.
func Cos(x float64) float64 {
	y0, y1, n, ok := reduce(x)
	if !ok {
		return math.NaN()
	}
	switch n & 3 {
	case 0:
		return cosine(y0, y1)
	case 1:
		return -sine(y0, y1, true)
	case 2:
		return -cosine(y0, y1)
	}
	return sine(y0, y1, true)
}

// Tan is the tangent.
func Tan(x float64) float64 {
	y0, y1, n, ok := reduce(x)
	if !ok {
		return math.NaN()
	}
	return tangent(y0, y1, n&1 != 0)
}

// sine of x+y within π/4; y counts only if tail is set.
func sine(x, y float64, tail bool) float64 {
	const (
		s1 = -1.66666666666666324348e-01
		s2 = 8.33333333332248946124e-03
		s3 = -1.98412698298579493134e-04
		s4 = 2.75573137070700676789e-06
		s5 = -2.50507602534068634195e-08
		s6 = 1.58969099521155010221e-10
	)
	if high(x)&0x7fffffff < 0x3e400000 {
		return x
	}
	z := x * x
	v := z * x
	r := s2 + z*(s3+z*(s4+z*(s5+z*s6)))
	if !tail {
		return x + v*(s1+z*r)
	}
	return x - ((z*(0.5*y-v*r) - y) - v*s1)
}

func cosine(x, y float64) float64 {
	const (
		c1 = 4.16666666666666019037e-02
		c2 = -1.38888888888741095749e-03
		c3 = 2.48015872894767294178e-05
		c4 = -2.75573143513906633035e-07
		c5 = 2.08757232129817482790e-09
		c6 = -1.13596475577881948265e-11
	)
	ix := high(x) & 0x7fffffff
	if ix < 0x3e400000 {
		return 1
	}
	z := x * x
	r := z * (c1 + z*(c2+z*(c3+z*(c4+z*(c5+z*c6)))))
	if ix < 0x3FD33333 {
		return 1 - (0.5*z - (z*r - x*y))
	}
	qx := 0.28125
	if ix <= 0x3fe90000 {
		qx = words(ix-0x00200000, 0)
	}
	iz := 0.5*z - qx
	a := 1 - qx
	return a - (iz - (z*r - x*y))
}

var tanT = [...]float64{3.33333333333334091986e-01, 1.33333333333201242699e-01, 5.39682539762260521377e-02, 2.18694882948595424599e-02,
	8.86323982359930005737e-03, 3.59207910759131235356e-03, 1.45620945432529025516e-03, 5.88041240820264096874e-04,
	2.46463134818469906812e-04, 7.81794442939557092300e-05, 7.14072491382608190305e-05, -1.85586374855275456654e-05, 2.59073051863633712884e-05}

// tangent of x+y within π/4, or the negative of its inverse.
func tangent(x, y float64, inverse bool) float64 {
	const pio4Lo = 3.06161699786838301793e-17
	hx := high(x)
	ix := hx & 0x7fffffff
	if ix < 0x3e300000 {
		if !inverse {
			return x
		}
		w := x + y
		return inverted(w, x, y)
	}
	large := ix >= 0x3fe59428
	if large {
		if x < 0 {
			x, y = -x, -y
		}
		x = (pio4Hi - x) + (pio4Lo - y)
		y = 0
	}
	t := &tanT
	z := x * x
	w := z * z
	r := t[1] + w*(t[3]+w*(t[5]+w*(t[7]+w*(t[9]+w*t[11]))))
	v := z * (t[2] + w*(t[4]+w*(t[6]+w*(t[8]+w*(t[10]+w*t[12])))))
	s := z * x
	r = y + z*(s*(r+v)+y)
	r += t[0] * s
	w = x + r
	if large {
		v = 1
		if inverse {
			v = -1
		}
		return float64(1-((hx>>30)&2)) * (v - 2*(x-(w*w/(w+v)-r)))
	}
	if !inverse {
		return w
	}
	return inverted(w, x, r)
}

// inverted is −1/(x+r) with w = x+r rounded.
func inverted(w, x, r float64) float64 {
	z := truncated(w)
	v := r - (z - x)
	a := -1 / w
	t := truncated(a)
	s := 1 + t*z
	return t + a*(s+t*v)
}

// reduce gives x − n·π/2 as y0+y1; not ok for what has no angle.
func reduce(x float64) (y0, y1 float64, n int, ok bool) {
	const (
		invPio2 = 6.36619772367581382433e-01
		pio2A   = 1.57079632673412561417e+00
		pio2At  = 6.07710050650619224932e-11
		pio2B   = 6.07710050630396597660e-11
		pio2Bt  = 2.02226624879595063154e-21
		pio2C   = 2.02226624871116645580e-21
		pio2Ct  = 8.47842766036889956997e-32
	)
	hx := high(x)
	ix := hx & 0x7fffffff
	switch {
	case ix <= 0x3fe921fb:
		return x, 0, 0, true
	case ix >= 0x7ff00000:
		return 0, 0, 0, false
	case ix > 0x413921fb:
		y0, y1, n = reduceLarge(math.Abs(x))
	case ix < 0x4002d97c:
		z := math.Abs(x) - pio2A
		n = 1
		if ix != 0x3ff921fb {
			y0 = z - pio2At
			y1 = (z - y0) - pio2At
		} else {
			z -= pio2B
			y0 = z - pio2Bt
			y1 = (z - y0) - pio2Bt
		}
	default:
		t := math.Abs(x)
		n = int(t*invPio2 + 0.5)
		fn := float64(n)
		r := t - fn*pio2A
		w := fn * pio2At
		j := ix >> 20
		y0 = r - w
		if j-(high(y0)>>20)&0x7ff > 16 {
			t = r
			w = fn * pio2B
			r = t - w
			w = fn*pio2Bt - ((t - r) - w)
			y0 = r - w
			if j-(high(y0)>>20)&0x7ff > 49 {
				t = r
				w = fn * pio2C
				r = t - w
				w = fn*pio2Ct - ((t - r) - w)
				y0 = r - w
			}
		}
		y1 = (r - y0) - w
	}
	if hx < 0 {
		return -y0, -y1, -n, true
	}
	return y0, y1, n, true
}

package jsmath

import "math"

var (
	atanHi = [...]float64{4.63647609000806093515e-01, 7.85398163397448278999e-01, 9.82793723247329054082e-01, 1.57079632679489655800e+00}
	atanLo = [...]float64{2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17, 6.12323399573676603587e-17}
	atanT  = [...]float64{3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01, -1.11111104054623557880e-01,
		9.09088713343650656196e-02, -7.69187620504482999495e-02, 6.66107313738753120669e-02, -5.83357013379057348645e-02,
		4.97687799461593236017e-02, -3.65315727442169155270e-02, 1.62858201153657823623e-02}
)

// Atan is the inverse tangent.
func Atan(x float64) float64 {
	hx := high(x)
	ix := hx & 0x7fffffff
	if ix >= 0x44100000 {
		switch {
		case math.IsNaN(x):
			return x
		case hx > 0:
			return atanHi[3] + atanLo[3]
		}
		return -atanHi[3] - atanLo[3]
	}
	id := -1
	if ix < 0x3fdc0000 {
		if ix < 0x3e400000 {
			return x
		}
	} else {
		x = math.Abs(x)
		switch {
		case ix < 0x3fe60000:
			id, x = 0, (2*x-1)/(2+x)
		case ix < 0x3ff30000:
			id, x = 1, (x-1)/(x+1)
		case ix < 0x40038000:
			id, x = 2, (x-1.5)/(1+1.5*x)
		default:
			id, x = 3, -1/x
		}
	}
	z := x * x
	w := z * z
	s1 := z * (atanT[0] + w*(atanT[2]+w*(atanT[4]+w*(atanT[6]+w*(atanT[8]+w*atanT[10])))))
	s2 := w * (atanT[1] + w*(atanT[3]+w*(atanT[5]+w*(atanT[7]+w*atanT[9]))))
	if id < 0 {
		return x - x*(s1+s2)
	}
	z = atanHi[id] - ((x*(s1+s2) - atanLo[id]) - x)
	if hx < 0 {
		return -z
	}
	return z
}

// Atan2 is the angle of the point (x, y).
func Atan2(y, x float64) float64 {
	const piLo = 1.2246467991473531772e-16
	if math.IsNaN(x) || math.IsNaN(y) {
		return math.NaN()
	}
	if x == 1 {
		return Atan(y)
	}
	hx, hy := high(x), high(y)
	m := hy>>31&1 | hx>>30&2
	ix, iy := hx&0x7fffffff, hy&0x7fffffff
	switch {
	case y == 0:
		return [...]float64{y, y, pi, -pi}[m]
	case x == 0:
		return math.Copysign(pi/2, y)
	case math.IsInf(x, 0) && math.IsInf(y, 0):
		return [...]float64{pi / 4, -pi / 4, 3 * (pi / 4), -3 * (pi / 4)}[m]
	case math.IsInf(x, 0):
		return [...]float64{0, math.Copysign(0, -1), pi, -pi}[m]
	case math.IsInf(y, 0):
		return math.Copysign(pi/2, y)
	}
	var z float64
	switch k := (iy - ix) >> 20; {
	case k > 60:
		z = pio2Hi // and half of piLo, which rounds away
		m &= 1
	case hx < 0 && k < -60:
		z = 0
	default:
		z = Atan(math.Abs(y / x))
	}
	switch m {
	case 0:
		return z
	case 1:
		return -z
	case 2:
		return pi - (z - piLo)
	}
	return (z - piLo) - pi
}

const (
	pio2Hi = 1.57079632679489655800e+00
	pio2Lo = 6.12323399573676603587e-17
	pio4Hi = 7.85398163397448278999e-01
	pi     = 3.1415926535897931160e+00 // rounded, unlike math.Pi
)

// arcRatio is the rational part of asin and acos.
func arcRatio(t float64) float64 {
	const (
		pS0 = 1.66666666666666657415e-01
		pS1 = -3.25565818622400915405e-01
		pS2 = 2.01212532134862925881e-01
		pS3 = -4.00555345006794114027e-02
		pS4 = 7.91534994289814532176e-04
		pS5 = 3.47933107596021167570e-05
		qS1 = -2.40339491173441421878e+00
		qS2 = 2.02094576023350569471e+00
		qS3 = -6.88283971605453293030e-01
		qS4 = 7.70381505559019352791e-02
	)
	p := t * (pS0 + t*(pS1+t*(pS2+t*(pS3+t*(pS4+t*pS5)))))
	return p / (1 + t*(qS1+t*(qS2+t*(qS3+t*qS4))))
}

// Asin is the inverse sine.
func Asin(x float64) float64 {
	hx := high(x)
	ix := hx & 0x7fffffff
	switch {
	case math.IsNaN(x) || math.Abs(x) > 1:
		return math.NaN()
	case math.Abs(x) == 1:
		return x*pio2Hi + x*pio2Lo
	case ix < 0x3e400000:
		return x
	case ix < 0x3fe00000:
		return x + x*arcRatio(x*x)
	}
	t := (1 - math.Abs(x)) * 0.5
	r := arcRatio(t)
	s := math.Sqrt(t)
	if ix >= 0x3FEF3333 {
		t = pio2Hi - (2*(s+s*r) - pio2Lo)
	} else {
		w := truncated(s)
		c := (t - w*w) / (s + w)
		p := 2*s*r - (pio2Lo - 2*c)
		q := pio4Hi - 2*w
		t = pio4Hi - (p - q)
	}
	if hx > 0 {
		return t
	}
	return -t
}

// Acos is the inverse cosine.
func Acos(x float64) float64 {
	hx := high(x)
	ix := hx & 0x7fffffff
	switch {
	case math.IsNaN(x) || math.Abs(x) > 1:
		return math.NaN()
	case x == 1:
		return 0
	case x == -1:
		return pi
	case ix < 0x3fe00000:
		if ix <= 0x3c600000 {
			return pio2Hi + pio2Lo
		}
		return pio2Hi - (x - (pio2Lo - x*arcRatio(x*x)))
	case hx < 0:
		z := (1 + x) * 0.5
		s := math.Sqrt(z)
		w := arcRatio(z)*s - pio2Lo
		return pi - 2*(s+w)
	}
	z := (1 - x) * 0.5
	s := math.Sqrt(z)
	df := truncated(s)
	c := (z - df*df) / (s + df)
	w := arcRatio(z)*s + c
	return 2 * (df + w)
}

// Asinh is the inverse hyperbolic sine.
func Asinh(x float64) float64 {
	hx := high(x)
	ix := hx & 0x7fffffff
	if ix >= 0x7ff00000 || ix < 0x3e300000 {
		return x
	}
	a := math.Abs(x)
	var w float64
	switch {
	case ix > 0x41b00000:
		w = Log(a) + math.Ln2
	case ix > 0x40000000:
		w = Log(2*a + 1/(math.Sqrt(x*x+1)+a))
	default:
		t := x * x
		w = math.Log1p(a + t/(1+math.Sqrt(1+t)))
	}
	return math.Copysign(w, x)
}

// Acosh is the inverse hyperbolic cosine.
func Acosh(x float64) float64 {
	hx := high(x)
	switch {
	case math.IsNaN(x) || x < 1:
		return math.NaN()
	case hx >= 0x41b00000:
		if math.IsInf(x, 1) {
			return x
		}
		return Log(x) + math.Ln2
	case x == 1:
		return 0
	case hx > 0x40000000:
		t := x * x
		return Log(2*x - 1/(x+math.Sqrt(t-1)))
	}
	t := x - 1
	return math.Log1p(t + math.Sqrt(2*t+t*t))
}

// Sinh is the hyperbolic sine.
func Sinh(x float64) float64 {
	a := math.Abs(x)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	h := math.Copysign(0.5, x)
	switch {
	case a < 22:
		if a < 0x1p-28 {
			return x
		}
		t := math.Expm1(a)
		if a < 1 {
			return h * (2*t - t*t/(t+1))
		}
		return h * (t + t/(t+1))
	case a < 709.7822265625:
		return h * Exp(a)
	case a <= 710.4758600739439:
		w := Exp(0.5 * a)
		return h * w * w
	}
	return x * math.Inf(1)
}

// Cosh is the hyperbolic cosine.
func Cosh(x float64) float64 {
	ix := high(x) & 0x7fffffff
	a := math.Abs(x)
	switch {
	case ix < 0x3fd62e43:
		t := math.Expm1(a)
		w := 1 + t
		if ix < 0x3c800000 {
			return w
		}
		return 1 + (t*t)/(w+w)
	case ix < 0x40360000:
		t := Exp(a)
		return 0.5*t + 0.5/t
	case ix < 0x40862E42:
		return 0.5 * Exp(a)
	case a <= 710.4758600739439:
		w := Exp(0.5 * a)
		return 0.5 * w * w
	}
	if math.IsNaN(x) {
		return x
	}
	return math.Inf(1)
}

// Tanh is the hyperbolic tangent.
func Tanh(x float64) float64 {
	ix := high(x) & 0x7fffffff
	switch {
	case math.IsNaN(x):
		return x
	case math.IsInf(x, 0):
		return math.Copysign(1, x)
	}
	z := 1.0
	if ix < 0x40360000 {
		if ix < 0x3e300000 {
			return x
		}
		if ix >= 0x3ff00000 {
			t := math.Expm1(2 * math.Abs(x))
			z = 1 - 2/(t+2)
		} else {
			t := math.Expm1(-2 * math.Abs(x))
			z = -t / (t + 2)
		}
	}
	return math.Copysign(z, x)
}

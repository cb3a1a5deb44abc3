package jsmath

import "math"

// parity says whether y is an integer: 0 no, 1 odd, 2 even.
func parity(y float64) int {
	if y != math.Trunc(y) {
		return 0
	}
	if math.Mod(y, 2) == 0 {
		return 2
	}
	return 1
}

// Pow is x to the y, as JavaScript wants it: NaN where |x| is 1 and y infinite.
func Pow(x, y float64) float64 {
	switch {
	case y == 0:
		return 1
	case math.IsNaN(x) || math.IsNaN(y):
		return math.NaN()
	case math.IsInf(y, 0):
		switch a := math.Abs(x); {
		case a == 1:
			return math.NaN()
		case a > 1 == (y > 0):
			return math.Inf(1)
		}
		return 0
	case y == 1:
		return x
	case y == -1:
		return 1 / x
	case y == 2:
		return x * x
	}
	whole := 0
	if x < 0 || x == 0 {
		whole = parity(y)
	}
	a := math.Abs(x)
	if y == 0.5 && high(x) >= 0 {
		return math.Sqrt(x)
	}
	if a == 0 || a == 1 || math.IsInf(a, 1) {
		return simplePower(x, y, a, parity(y))
	}
	sign := 1.0
	if x < 0 {
		if whole == 0 {
			return math.NaN()
		}
		if whole == 1 {
			sign = -1
		}
	}
	return sign * positivePower(a, y)
}

// simplePower is for a base of 0, ±1 or ±∞.
func simplePower(x, y, a float64, whole int) float64 {
	if y < 0 {
		a = 1 / a
	}
	if high(x) < 0 {
		if a == 1 && whole == 0 {
			return math.NaN()
		}
		if whole == 1 {
			a = -a
		}
	}
	return a
}

// positivePower is for a finite positive base that is not 1.
func positivePower(a, y float64) float64 {
	hy, ix := high(y), high(a)
	iy := hy & 0x7fffffff
	var t1, t2 float64
	if iy > 0x41e00000 {
		if iy > 0x43f00000 && ix <= 0x3fefffff || ix < 0x3fefffff {
			return extreme(hy < 0)
		}
		if iy > 0x43f00000 || ix > 0x3ff00000 {
			return extreme(hy > 0)
		}
		t1, t2 = log2Near1(a)
	} else {
		t1, t2 = log2Split(a)
	}
	y1 := truncated(y)
	pl := (y-y1)*t1 + y*t2
	ph := y1 * t1
	z := pl + ph
	j, i := high(z), int32(low(z))
	const beyond = 8.0085662595372944372e-17
	if j >= 0x40900000 {
		if (j-0x40900000)|i != 0 || pl+beyond > z-ph {
			return math.Inf(1)
		}
	} else if j&0x7fffffff >= 0x4090cc00 {
		if int32(uint32(j)-0xc090cc00)|i != 0 || pl <= z-ph {
			return 0
		}
	}
	return exp2Split(ph, pl, j)
}

func extreme(large bool) float64 {
	if large {
		return math.Inf(1)
	}
	return 0
}

// log2Near1 is log2(a) in two parts for 1−2^-20 < a < 1+2^-20.
func log2Near1(a float64) (t1, t2 float64) {
	const (
		ivln2  = 1.44269504088896338700e+00
		ivln2H = 1.44269502162933349609e+00
		ivln2L = 1.92596299112661746887e-08
	)
	t := a - 1
	w := (t * t) * (0.5 - t*(0.3333333333333333333333-t*0.25))
	u := ivln2H * t
	v := t*ivln2L - w*ivln2
	t1 = truncated(u + v)
	return t1, v - (t1 - u)
}

// log2Split is log2(a) in two parts.
func log2Split(a float64) (t1, t2 float64) {
	const (
		l1  = 5.99999999999994648725e-01
		l2  = 4.28571428578550184252e-01
		l3  = 3.33333329818377432918e-01
		l4  = 2.72728123808534006489e-01
		l5  = 2.30660745775561754067e-01
		l6  = 2.06975017800338417784e-01
		cp  = 9.61796693925975554329e-01
		cpH = 9.61796700954437255859e-01
		cpL = -7.02846165095275826516e-09
	)
	ix := high(a)
	n := int32(0)
	if ix < 0x00100000 {
		a *= 0x1p53
		n = -53
		ix = high(a)
	}
	n += ix>>20 - 0x3ff
	j := ix & 0x000fffff
	ix = j | 0x3ff00000
	k := int32(0)
	bp, dpH, dpL := 1.0, 0.0, 0.0
	switch {
	case j <= 0x3988E:
	case j < 0xBB67A:
		k, bp, dpH, dpL = 1, 1.5, 5.84962487220764160156e-01, 1.35003920212974897128e-08
	default:
		n++
		ix -= 0x00100000
	}
	a = withHigh(a, ix)
	u := a - bp
	v := 1 / (a + bp)
	ss := u * v
	sH := truncated(ss)
	tH := words((ix>>1|0x20000000)+0x00080000+k<<18, 0)
	tL := a - (tH - bp)
	sL := v * ((u - sH*tH) - sH*tL)
	s2 := ss * ss
	r := s2 * s2 * (l1 + s2*(l2+s2*(l3+s2*(l4+s2*(l5+s2*l6)))))
	r += sL * (sH + ss)
	s2 = sH * sH
	tH = truncated(3 + s2 + r)
	tL = r - ((tH - 3) - s2)
	u = sH * tH
	v = sL*tH + tL*ss
	pH := truncated(u + v)
	pL := v - (pH - u)
	zH := cpH * pH
	zL := cpL*pH + pL*cp + dpL
	t := float64(n)
	t1 = truncated(((zH + zL) + dpH) + t)
	return t1, zL - (((t1 - t) - dpH) - zH)
}

// exp2Split is 2 to the ph+pl; j is the high word of their sum.
func exp2Split(ph, pl float64, j int32) float64 {
	const (
		p1   = 1.66666666666666019037e-01
		p2   = -2.77777777770155933842e-03
		p3   = 6.61375632143793436117e-05
		p4   = -1.65339022054652515390e-06
		p5   = 4.13813679705723846039e-08
		lg2  = 6.93147180559945286227e-01
		lg2H = 6.93147182464599609375e-01
		lg2L = -1.90465429995776804525e-09
	)
	i := j & 0x7fffffff
	n := int32(0)
	if i > 0x3fe00000 {
		k := i>>20 - 0x3ff
		n = j + 0x00100000>>(k+1)
		k = (n&0x7fffffff)>>20 - 0x3ff
		t := words(n&^(0x000fffff>>k), 0)
		n = (n&0x000fffff | 0x00100000) >> (20 - k)
		if j < 0 {
			n = -n
		}
		ph -= t
	}
	t := truncated(pl + ph)
	u := t * lg2H
	v := (pl-(t-ph))*lg2 + t*lg2L
	z := u + v
	w := v - (z - u)
	t = z * z
	t1 := z - t*(p1+t*(p2+t*(p3+t*(p4+t*p5))))
	r := (z * t1) / ((t1 - 2) - (w + z*w)) // V8 divides by all of it, fdlibm by t1-2
	z = 1 - (r - z)
	j = high(z) + n<<20
	if j>>20 <= 0 {
		return math.Ldexp(z, int(n))
	}
	return withHigh(z, j)
}

// Package jsmath computes the functions of JavaScript's Math bit for bit as V8
// does, so that every tier, and a function tried out in another engine, gives
// the same numbers. Go's own differ in the last bit on up to a third of inputs.
//
// The methods are those of fdlibm (Sun Microsystems, 1993), as FreeBSD and V8
// keep it; expm1, log1p, atanh and hypot are Go's, which are the same. Any
// thread may call them.
//
// They need products and sums rounded each for itself: GOAMD64 below v3, and
// no processor for which Go fuses them. TestAgainstV8 finds out.
package jsmath

import "math"

func high(x float64) int32 { return int32(math.Float64bits(x) >> 32) }
func low(x float64) uint32 { return uint32(math.Float64bits(x)) }
func words(h int32, l uint32) float64 {
	return math.Float64frombits(uint64(uint32(h))<<32 | uint64(l))
}
func withHigh(x float64, h int32) float64 { return words(h, low(x)) }

// truncated clears the low word.
func truncated(x float64) float64 { return words(high(x), 0) }

const (
	ln2Hi = 6.93147180369123816490e-01
	ln2Lo = 1.90821492927058770002e-10
)

// Exp is e to the x.
func Exp(x float64) float64 {
	const (
		overflow  = 7.09782712893383973096e+02
		underflow = -7.45133219101941108420e+02
		invLn2    = 1.44269504088896338700e+00
	)
	hx := uint32(high(x))
	negative := hx>>31 != 0
	hx &= 0x7fffffff
	if hx >= 0x40862E42 {
		switch {
		case math.IsNaN(x):
			return x
		case x > overflow:
			return math.Inf(1)
		case x < underflow:
			return 0
		}
	}
	var hi, lo float64
	k := 0
	switch {
	case hx > 0x3fd62e42 && hx < 0x3FF0A2B2:
		if x == 1 {
			return math.E
		}
		if negative {
			hi, lo, k = x+ln2Hi, -ln2Lo, -1
		} else {
			hi, lo, k = x-ln2Hi, ln2Lo, 1
		}
		x = hi - lo
	case hx > 0x3fd62e42:
		half := 0.5
		if negative {
			half = -0.5
		}
		k = int(invLn2*x + half)
		t := float64(k)
		hi, lo = x-t*ln2Hi, t*ln2Lo
		x = hi - lo
	case hx < 0x3e300000:
		return 1 + x
	}
	return expScaled(x, hi, lo, k)
}

// expScaled is 2^k times e to the reduced x = hi - lo.
func expScaled(x, hi, lo float64, k int) float64 {
	const (
		p1 = 1.66666666666666019037e-01
		p2 = -2.77777777770155933842e-03
		p3 = 6.61375632143793436117e-05
		p4 = -1.65339022054652515390e-06
		p5 = 4.13813679705723846039e-08
	)
	t := x * x
	c := x - t*(p1+t*(p2+t*(p3+t*(p4+t*p5))))
	if k == 0 {
		return 1 - ((x*c)/(c-2) - x)
	}
	y := 1 - ((lo - (x*c)/(2-c)) - hi)
	switch {
	case k == 1024:
		return y * 2 * 0x1p1023
	case k >= -1021:
		return y * words(0x3ff00000+int32(k)<<20, 0)
	}
	return y * words(0x3ff00000+int32(k+1000)<<20, 0) * 0x1p-1000
}

const (
	lg1 = 6.666666666666735130e-01
	lg2 = 3.999999999940941908e-01
	lg3 = 2.857142874366239149e-01
	lg4 = 2.222219843214978396e-01
	lg5 = 1.818357216161805012e-01
	lg6 = 1.531383769920937332e-01
	lg7 = 1.479819860511658591e-01
)

// special handles what has no logarithm of its own, and scales subnormals up.
func special(x float64) (scaled float64, k int32, result float64, done bool) {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return 0, 0, x, true
	case x == 0:
		return 0, 0, math.Inf(-1), true
	case x < 0:
		return 0, 0, math.NaN(), true
	case high(x) < 0x00100000:
		return x * 0x1p54, -54, 0, false
	}
	return x, 0, 0, false
}

// Log is the natural logarithm.
func Log(x float64) float64 {
	x, k, result, done := special(x)
	if done {
		return result
	}
	hx := high(x)
	k += hx>>20 - 1023
	hx &= 0x000fffff
	i := (hx + 0x95f64) & 0x100000
	x = withHigh(x, hx|(i^0x3ff00000))
	k += i >> 20
	f, dk := x-1, float64(k)
	if 0x000fffff&(2+hx) < 3 {
		if f == 0 {
			if k == 0 {
				return 0
			}
			return dk*ln2Hi + dk*ln2Lo
		}
		r := f * f * (0.5 - 0.33333333333333333*f)
		if k == 0 {
			return f - r
		}
		return dk*ln2Hi - ((r - dk*ln2Lo) - f)
	}
	s := f / (2 + f)
	z := s * s
	w := z * z
	r := z*(lg1+w*(lg3+w*(lg5+w*lg7))) + w*(lg2+w*(lg4+w*lg6))
	if (hx-0x6147a)|(0x6b851-hx) > 0 {
		half := 0.5 * f * f
		if k == 0 {
			return f - (half - s*(half+r))
		}
		return dk*ln2Hi - ((half - (s*(half+r) + dk*ln2Lo)) - f)
	}
	if k == 0 {
		return f - s*(f-r)
	}
	return dk*ln2Hi - ((s*(f-r) - dk*ln2Lo) - f)
}

// Log2 is the logarithm to base 2.
func Log2(x float64) float64 {
	const ivln2Hi, ivln2Lo = 1.44269504072144627571e+00, 1.67517131648865118353e-10
	x, k, result, done := special(x)
	if done {
		return result
	}
	if x == 1 {
		return 0
	}
	hx := high(x)
	k += hx>>20 - 1023
	hx &= 0x000fffff
	i := (hx + 0x95f64) & 0x100000
	x = withHigh(x, hx|(i^0x3ff00000))
	k += i >> 20
	y, f := float64(k), x-1
	half := 0.5 * f * f
	s := f / (2 + f)
	z := s * s
	w := z * z
	r := s * (half + (z*(lg1+w*(lg3+w*(lg5+w*lg7))) + w*(lg2+w*(lg4+w*lg6))))
	hi := truncated(f - half)
	lo := (f - hi) - half + r
	valHi := hi * ivln2Hi
	valLo := (lo+hi)*ivln2Lo + lo*ivln2Hi
	w = y + valHi
	valLo += (y - w) + valHi
	return valLo + w
}

// Log10 is the logarithm to base 10.
func Log10(x float64) float64 {
	const (
		ivln10 = 4.34294481903251816668e-01
		log2Hi = 3.01029995663611771306e-01
		log2Lo = 3.69423907715893078616e-13
	)
	x, k, result, done := special(x)
	if done {
		return result
	}
	hx := high(x)
	k += hx>>20 - 1023
	i := int32(uint32(k) >> 31)
	y := float64(k + i)
	x = withHigh(x, hx&0x000fffff|(0x3ff-i)<<20)
	return y*log2Lo + ivln10*Log(x) + y*log2Hi
}

// Cbrt is the cube root.
func Cbrt(x float64) float64 {
	const (
		b1, b2 = 715094163, 696219795
		p0     = 1.87595182427177009643
		p1     = -1.88497979543377169875
		p2     = 1.621429720105354466140
		p3     = -0.758397934778766047437
		p4     = 0.145996192886612446982
	)
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	hx := uint32(high(x))
	sign := hx & 0x80000000
	hx ^= sign
	var t float64
	if hx < 0x00100000 {
		t = words(int32(sign|(uint32(high(x*0x1p54))&0x7fffffff)/3+b2), 0)
	} else {
		t = words(int32(sign|(hx/3+b1)), 0)
	}
	r := (t * t) * (t / x)
	t *= (p0 + r*(p1+r*p2)) + ((r*r)*r)*(p3+r*p4)
	t = math.Float64frombits((math.Float64bits(t) + 0x80000000) & 0xffffffffc0000000)
	r = x / (t * t)
	r = (r - t) / (t + t + r)
	return t + t*r
}

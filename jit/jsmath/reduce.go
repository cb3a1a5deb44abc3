package jsmath

import "math"

// twoOverPi is 2/π in digits of 24 bits.
var twoOverPi = [...]int32{
	0xA2F983, 0x6E4E44, 0x1529FC, 0x2757D1, 0xF534DD, 0xC0DB62, 0x95993C, 0x439041, 0xFE5163, 0xABDEBB, 0xC561B7, 0x246E3A,
	0x424DD2, 0xE00649, 0x2EEA09, 0xD1921C, 0xFE1DEB, 0x1CB129, 0xA73EE8, 0x8235F5, 0x2EBB44, 0x84E99C, 0x7026B4, 0x5F7E41,
	0x3991D6, 0x398353, 0x39F49C, 0x845F8B, 0xBDF928, 0x3B1FF8, 0x97FFDE, 0x05980F, 0xEF2F11, 0x8B5A0A, 0x6D1F6D, 0x367ECF,
	0x27CB09, 0xB74F46, 0x3F669E, 0x5FEA2D, 0x7527BA, 0xC7EBE5, 0xF17B3D, 0x0739F7, 0x8A5292, 0xEA6BFB, 0x5FB11F, 0x8D5D08,
	0x560330, 0x46FC7B, 0x6BABF0, 0xCFBC20, 0x9AF436, 0x1DA9E3, 0x91615E, 0xE61B08, 0x659985, 0x5F14A0, 0x68408D, 0xFFD880,
	0x4D7327, 0x310606, 0x1556CA, 0x73A8C9, 0x60E27B, 0xC08C6B,
}

// piOver2 is π/2 in parts of 24 bits.
var piOver2 = [...]float64{1.57079625129699707031e+00, 7.54978941586159635335e-08, 5.39030252995776476554e-15, 3.28200341580791294123e-22,
	1.27065575308067607349e-29, 1.22933308981111328932e-36, 2.73370053816464559624e-44, 2.16741683877804819444e-51}

// digits is the state of a reduction by many digits (Payne and Hanek, 1983).
type digits struct {
	x      [3]float64 // of the argument, 24 bits each
	last   int        // the last of x that is not 0
	first  int        // the digit of 2/π that counts first
	scale  int        // exponent of q[last digit]
	f, q   [20]float64
	iq     [20]int32
	length int
}

// leading is how many digits of the product are needed at first.
const leading = 4

// reduceLarge reduces a finite x beyond 2^20·π/2.
func reduceLarge(x float64) (y0, y1 float64, n int) {
	var d digits
	e := int(high(x)>>20) - 1046
	z := words(high(x)-int32(e)<<20, low(x))
	for i := range 2 {
		d.x[i] = float64(int32(z))
		z = (z - d.x[i]) * 0x1p24
	}
	d.x[2] = z
	for d.last = 2; d.x[d.last] == 0; d.last-- {
	}
	d.first = max((e-3)/24, 0)
	d.scale = e - 24*(d.first+1)
	for i := 0; i <= d.last+leading; i++ {
		if j := d.first - d.last + i; j >= 0 {
			d.f[i] = float64(twoOverPi[j])
		}
	}
	for i := 0; i <= leading; i++ {
		d.product(i)
	}
	d.length = leading
	for {
		z, n, half := d.distill()
		if z != 0 || !d.cancelled() {
			y0, y1 = d.fraction(z)
			if half > 0 {
				y0, y1 = -y0, -y1
			}
			return y0, y1, n & 7
		}
	}
}

func (d *digits) product(i int) {
	sum := 0.0
	for j := 0; j <= d.last; j++ {
		sum += d.x[j] * d.f[d.last+i-j]
	}
	d.q[i] = sum
}

// distill takes the integer part n off and leaves the fraction in iq and z;
// half says that it was more than a half and has been turned into what is
// missing to the next integer.
func (d *digits) distill() (z float64, n int, half int32) {
	z = d.q[d.length]
	for i, j := 0, d.length; j > 0; i, j = i+1, j-1 {
		carry := float64(int32(0x1p-24 * z))
		d.iq[i] = int32(z - 0x1p24*carry)
		z = d.q[j-1] + carry
	}
	z = math.Ldexp(z, d.scale)
	z -= 8 * math.Floor(z*0.125)
	n = int(z)
	z -= float64(n)
	top := &d.iq[d.length-1]
	switch {
	case d.scale > 0:
		i := *top >> (24 - d.scale)
		n += int(i)
		*top -= i << (24 - d.scale)
		half = *top >> (23 - d.scale)
	case d.scale == 0:
		half = *top >> 23
	case z >= 0.5:
		half = 2
	}
	if half > 0 {
		n++
		z = d.complement(z, half)
	}
	return z, n, half
}

// complement turns the fraction q into 1 − q.
func (d *digits) complement(z float64, half int32) float64 {
	carry := false
	for i := 0; i < d.length; i++ {
		switch j := d.iq[i]; {
		case carry:
			d.iq[i] = 0xffffff - j
		case j != 0:
			carry = true
			d.iq[i] = 0x1000000 - j
		}
	}
	switch d.scale {
	case 1:
		d.iq[d.length-1] &= 0x7fffff
	case 2:
		d.iq[d.length-1] &= 0x3fffff
	}
	if half == 2 {
		z = 1 - z
		if carry {
			z -= math.Ldexp(1, d.scale)
		}
	}
	return z
}

// cancelled adds digits if none that counts is left.
func (d *digits) cancelled() bool {
	for i := d.length - 1; i >= leading; i-- {
		if d.iq[i] != 0 {
			return false
		}
	}
	k := 1
	for d.iq[leading-k] == 0 {
		k++
	}
	for i := d.length + 1; i <= d.length+k; i++ {
		d.f[d.last+i] = float64(twoOverPi[d.first+i])
		d.product(i)
	}
	d.length += k
	return true
}

// fraction multiplies what is left by π/2.
func (d *digits) fraction(z float64) (y0, y1 float64) {
	n, scale := d.length, d.scale
	if z == 0 {
		for n, scale = n-1, scale-24; d.iq[n] == 0; n, scale = n-1, scale-24 {
		}
	} else if z = math.Ldexp(z, -scale); z >= 0x1p24 {
		carry := float64(int32(0x1p-24 * z))
		d.iq[n] = int32(z - 0x1p24*carry)
		n, scale = n+1, scale+24
		d.iq[n] = int32(carry)
	} else {
		d.iq[n] = int32(z)
	}
	unit := math.Ldexp(1, scale)
	for i := n; i >= 0; i-- {
		d.q[i] = unit * float64(d.iq[i])
		unit *= 0x1p-24
	}
	var parts [20]float64
	for i := n; i >= 0; i-- {
		for k := 0; k <= leading && k <= n-i; k++ {
			parts[n-i] += piOver2[k] * d.q[i+k]
		}
	}
	for i := n; i >= 0; i-- {
		y0 += parts[i]
	}
	y1 = parts[0] - y0
	for i := 1; i <= n; i++ {
		y1 += parts[i]
	}
	return y0, y1
}

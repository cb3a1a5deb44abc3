package load

import (
	"math"
	"math/rand/v2"
)

// drawsLog2 sizes the tables of draws: 2^21 draws of 4 bytes, read in order, so
// that a draw costs the generator a quarter of a nanosecond and no cache miss.
const drawsLog2 = 21

// drawKeys fills a table with key indices in [0, keys), uniform or by Zipf.
func drawKeys(keys int, zipf bool, theta float64, seed uint64) []uint32 {
	random := rand.New(rand.NewPCG(seed, 1))
	draws := make([]uint32, 1<<drawsLog2)
	if !zipf {
		for i := range draws {
			draws[i] = uint32(random.Uint64N(uint64(keys)))
		}
		return draws
	}
	z := newZipf(keys, theta)
	for i := range draws {
		draws[i] = uint32(scatter(z.rank(random.Float64()), uint64(keys)))
	}
	return draws
}

// drawKinds fills a table of 2^12 datagram kinds (indices into mix) in random
// order, each as often as its weight says, to a whole number.
func drawKinds(mix []Share, seed uint64) []uint8 {
	total := 0
	for _, s := range mix {
		total += s.Weight
	}
	table := make([]uint8, 1<<12)
	for i := range table {
		at := i * total / len(table)
		for k, s := range mix {
			if at < s.Weight {
				table[i] = uint8(k)
				break
			}
			at -= s.Weight
		}
	}
	random := rand.New(rand.NewPCG(seed, 2))
	random.Shuffle(len(table), func(i, j int) { table[i], table[j] = table[j], table[i] })
	return table
}

// zipf draws ranks with probability proportional to 1/(rank+1)^theta by the
// method of Gray et al., "Quickly generating billion-record synthetic
// databases" (SIGMOD 1994), as YCSB does.
type zipf struct {
	n                 float64
	theta, alpha, eta float64
	zeta              float64
}

func newZipf(n int, theta float64) zipf {
	zeta := func(n int) (sum float64) {
		for i := 1; i <= n; i++ {
			sum += 1 / math.Pow(float64(i), theta)
		}
		return sum
	}
	z := zipf{n: float64(n), theta: theta, alpha: 1 / (1 - theta), zeta: zeta(n)}
	z.eta = (1 - math.Pow(2/z.n, 1-theta)) / (1 - zeta(2)/z.zeta)
	return z
}

// rank maps a uniform draw from [0, 1) to a rank from 0, the most frequent.
func (z *zipf) rank(u float64) uint64 {
	uz := u * z.zeta
	if uz < 1 || z.n < 2 {
		return 0
	}
	if uz < 1+math.Pow(0.5, z.theta) {
		return 1
	}
	return min(uint64(z.n*math.Pow(z.eta*u-z.eta+1, z.alpha)), uint64(z.n)-1)
}

// scatter spreads ranks over the keys, so that frequent keys are no neighbours:
// FNV-1a of the rank, as YCSB's scrambled Zipf. Ranks may fall together.
func scatter(rank, keys uint64) uint64 {
	h := uint64(0xcbf29ce484222325)
	for range 8 {
		h = (h ^ rank&0xff) * 0x100000001b3
		rank >>= 8
	}
	return h % keys
}

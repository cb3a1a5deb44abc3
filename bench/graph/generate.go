package graph

import "slices"

// GeneratedAnswers are countFriends(0, 1..4) on the graph of Generate.
var GeneratedAnswers = [Depths]uint64{347, 5087, 83210, 1549865}

// circle is one ego's network: ego knows every node in [first, end), and those
// nodes know one another by neighbourhoods. An ego that is itself a member of
// an earlier circle joins the two, as in the ego-Facebook graph.
// Lists are density quarters as long as quantiles says.
type circle struct {
	ego, first, end, density uint32
}

// circles cover 4,000 nodes in the proportions of ego-Facebook's ten egos.
var circles = [...]circle{
	{0, 1, 348, 2},
	{107, 348, 1390, 5},
	{340, 1390, 1640, 5},
	{345, 1640, 1710, 5},
	{1500, 1710, 2490, 5},
	{1705, 2490, 3240, 5},
	{2100, 3240, 3790, 5},
	{3000, 3790, 3860, 5},
	{3700, 3860, 4000, 5},
}

// seed of the generated graph; another one gives other answers.
const seed = 0x5eed_0f_a_6ea9

// Generate returns the graph that ships with the repository: about 4,000 nodes
// and 84,000 edges, lists of 1 to about 1,000 friends with a median near 11,
// always the same, sorted by From and To.
func Generate() []Edge {
	random := splitmix(seed)
	known := make(map[Edge]struct{})
	for _, c := range circles {
		for node := c.first; node < c.end; node++ {
			if c.ego < node {
				known[Edge{c.ego, node}] = struct{}{}
			}
			befriend(known, &random, c, node)
		}
	}
	edges := make([]Edge, 0, len(known))
	for e := range known {
		edges = append(edges, e)
	}
	slices.SortFunc(edges, func(a, b Edge) int {
		if a.From != b.From {
			return int(int64(a.From) - int64(b.From))
		}
		return int(int64(a.To) - int64(b.To))
	})
	return edges
}

// quantiles are the lengths of ego-Facebook's lists (without the egos') at
// thousandths of its nodes; integers, so that every machine draws the same.
var quantiles = [...]struct{ thousandth, length uint32 }{
	{0, 0}, {90, 1}, {320, 4}, {540, 11}, {770, 28}, {910, 62}, {955, 90}, {991, 152}, {1000, 240},
}

// listLength draws a length by interpolating between quantiles.
func listLength(random *splitmix) uint32 {
	at := uint32(random.next() % 1000)
	i := 1
	for quantiles[i].thousandth <= at {
		i++
	}
	low, high := quantiles[i-1], quantiles[i]
	return low.length + (high.length-low.length)*(at-low.thousandth)/(high.thousandth-low.thousandth)
}

// befriend draws how many later nodes of its circle node knows, and which:
// three of four are close by.
func befriend(known map[Edge]struct{}, random *splitmix, c circle, node uint32) {
	room := c.end - node - 1
	if room == 0 {
		return
	}
	count := min(listLength(random)*c.density/4, room)
	for range count {
		reach := room
		if random.next()%4 != 0 {
			reach = min(room, 4*count)
		}
		to := node + 1 + uint32(random.next()%uint64(reach))
		known[Edge{node, to}] = struct{}{}
	}
}

// splitmix is Steele, Lea and Flood's SplitMix64 (OOPSLA 2014), written out so
// that the graph does not depend on a library's choice of generator.
type splitmix uint64

func (s *splitmix) next() uint64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

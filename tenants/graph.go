package tenants

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"shredder/store"
)

// storeGraph stores an edge list in a shard that no lcore has yet, and returns how
// many nodes the graph has.
func storeGraph(shard *store.Shard, edges []byte, nowMillis int64) (nodes int, err error) {
	lists, seen := map[uint64][]byte{}, map[uint64]struct{}{}
	lines := bufio.NewScanner(bytes.NewReader(edges))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return 0, fmt.Errorf("line %d is not \"a b\"", number)
		}
		from, err := strconv.ParseUint(fields[0], 10, 53)
		if err != nil {
			return 0, fmt.Errorf("line %d: %q is not an integer below 2^53", number, fields[0])
		}
		to, err := strconv.ParseUint(fields[1], 10, 32)
		if err != nil {
			return 0, fmt.Errorf("line %d: %q is not an integer below 2^32", number, fields[1])
		}
		lists[from] = binary.LittleEndian.AppendUint32(lists[from], uint32(to))
		seen[from], seen[to] = struct{}{}, struct{}{}
	}
	if err := lines.Err(); err != nil {
		return 0, err
	}
	if len(lists) == 0 {
		return 0, fmt.Errorf("no line is an edge \"a b\"")
	}
	defer shard.HandOver() // to the home lcore
	for _, from := range slices.Sorted(maps.Keys(lists)) {
		if _, r := shard.Set(store.IntKey(from), lists[from], store.SetOptions{}, nowMillis); r != store.OK {
			return 0, fmt.Errorf("node %d with %d neighbours does not fit into the tenant's quota", from, len(lists[from])/4)
		}
	}
	return len(seen), nil
}

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"shredder/bench/graph"
	"shredder/client"
)

// importWriters is how many SETs are in flight: the session's window.
const importWriters = 64

// node is one key of a graph: where edges from it lead to.
type node struct {
	key   uint64
	value []byte // little-endian uint32
}

func (a *app) importCommand() *cobra.Command {
	var edges string
	var generated, answers bool
	cmd := &cobra.Command{
		Use: "import --edges FILE | --generated", Short: "load a graph", Args: arity(0, 0),
		Long: `import loads a graph from lines "a b" (- is standard input): under each integer key a
it stores the b of its lines, in their order, as an array of little-endian uint32.
Empty lines and lines that begin with # are passed over. --generated loads a graph
that ships with the command, of the size and shape of an ego network of Facebook's.
--answers also prints what countFriends(0, 1) to countFriends(0, 4) of
docs/functions.md must return, counted from the edges themselves.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (edges == "") != generated {
				return usagef("usage: %s", cmd.UseLine())
			}
			in := a.stdin
			if generated {
				edges, in = "the generated graph", generatedEdges()
			} else if edges != "-" {
				f, err := os.Open(edges)
				if err != nil {
					return usageError{err}
				}
				defer f.Close()
				in = f
			}
			nodes, count, err := readEdges(in)
			if err != nil {
				return fmt.Errorf("%s: %w", edges, err)
			}
			return a.with(cmd, client.Data, func(ctx context.Context, c *client.Client) error {
				began := time.Now()
				if err := a.storeNodes(ctx, c, nodes); err != nil {
					return err
				}
				took := time.Since(began)
				result := map[string]any{"keys": len(nodes), "edges": count, "seconds": took.Seconds()}
				text := fmt.Sprintf("%d keys, %d edges in %.2f s\n", len(nodes), count, took.Seconds())
				if answers {
					counts := countAnswers(nodes)
					result["answers"] = counts
					text += strings.Trim(fmt.Sprint(counts), "[]") + "\n"
				}
				return a.print(result, "%s", text)
			})
		},
	}
	cmd.Flags().StringVar(&edges, "edges", "", "file of lines \"a b\"")
	cmd.Flags().BoolVar(&generated, "generated", false, "the graph that ships with the command")
	cmd.Flags().BoolVar(&answers, "answers", false, "also print what countFriends(0, 1..4) must return")
	return cmd
}

// generatedEdges is the generated graph as lines "a b".
func generatedEdges() io.Reader {
	var text bytes.Buffer
	for _, e := range graph.Generate() {
		fmt.Fprintf(&text, "%d %d\n", e.From, e.To)
	}
	return &text
}

// countAnswers counts friends of friends without the store.
func countAnswers(nodes []node) []uint64 {
	var edges []graph.Edge
	for _, n := range nodes {
		for at := 0; at < len(n.value); at += 4 {
			edges = append(edges, graph.Edge{From: uint32(n.key), To: binary.LittleEndian.Uint32(n.value[at:])})
		}
	}
	return graph.Answers(edges, 0, graph.Depths)
}

// readEdges gathers a file's edges by their first node, in order of appearance.
func readEdges(in io.Reader) (nodes []node, count int, err error) {
	index := map[uint64]int{}
	lines := bufio.NewScanner(in)
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return nil, 0, fmt.Errorf("line %d is not \"a b\"", number)
		}
		from, err := strconv.ParseUint(fields[0], 10, 53)
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %q is not an integer below 2^53", number, fields[0])
		}
		to, err := strconv.ParseUint(fields[1], 10, 32)
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %q is not an integer below 2^32", number, fields[1])
		}
		i, ok := index[from]
		if !ok {
			i = len(nodes)
			index[from] = i
			nodes = append(nodes, node{key: from})
		}
		nodes[i].value = binary.LittleEndian.AppendUint32(nodes[i].value, uint32(to))
		count++
	}
	return nodes, count, lines.Err()
}

// storeNodes writes all nodes, many at a time, and says on standard error how
// far it is, once a second.
func (a *app) storeNodes(ctx context.Context, c *client.Client, nodes []node) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan node)
	var writers sync.WaitGroup
	for range min(importWriters, len(nodes)) {
		writers.Go(func() {
			for n := range work {
				if _, err := c.Set(ctx, client.Int(n.key), n.value); err != nil {
					cancel(fmt.Errorf("key %d: %w", n.key, err)) // the first cause stays
					return
				}
			}
		})
	}
	progress := time.NewTicker(time.Second)
	defer progress.Stop()
feed:
	for i := 0; i < len(nodes); {
		select {
		case work <- nodes[i]:
			i++
		case <-progress.C:
			fmt.Fprintf(a.stderr, "%d of %d keys\n", i, len(nodes))
		case <-ctx.Done():
			break feed
		}
	}
	close(work)
	writers.Wait()
	return context.Cause(ctx)
}

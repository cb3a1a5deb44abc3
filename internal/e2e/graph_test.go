package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"shredder/bench/graph"
	"shredder/client"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// local is the id of a tenant.
func local(t testing.TB, s *site, name string) uint32 {
	t.Helper()
	for _, in := range s.registry.List() {
		if in.Name == name {
			return in.ID
		}
	}
	t.Fatalf("no tenant %s", name)
	return 0
}

// countFriends in the three styles of builtins: views, scalars, batches.
const friends = `
export function view(id, depth) {
  const friends = store.u32(id);
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 1) return n;
  for (let i = 0; i < friends.length; i++) n += view(friends[i], depth - 1);
  return n;
}
export function scalar(id, depth) {
  const size = store.size(id);
  if (size === undefined) return 0;
  const count = size / 4;
  let n = count;
  if (depth === 1) return n;
  for (let i = 0; i < count; i++) n += scalar(store.u32At(id, i), depth - 1);
  return n;
}
export function batch(id, depth) {
  if (depth === 1) return (store.size(id) || 0) / 4;
  const friends = store.u32(id);
  if (friends === undefined) return 0;
  let n = friends.length;
  if (depth === 2) return n + store.sumLengths("u32", id);
  for (let i = 0; i < friends.length; i++) n += batch(friends[i], depth - 1);
  return n;
}
`

// load stores a graph, with as many writes in flight as a session allows.
func load(ctx context.Context, c *client.Client, edges []graph.Edge) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan graph.Entry)
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for e := range work {
				if _, err := c.Set(ctx, client.Int(uint64(e.Key)), e.Value); err != nil {
					cancel(fmt.Errorf("key %d: %w", e.Key, err))
					return
				}
			}
		})
	}
	for _, e := range graph.Entries(edges) {
		select {
		case work <- e:
		case <-ctx.Done():
		}
	}
	close(work)
	wait.Wait()
	return context.Cause(ctx)
}

// testGraph calls countFriends on the generated graph and, where it is at hand,
// on the real one.
func testGraph(t *testing.T, r run) {
	for _, path := range []string{"", "../../../shared/data/ego-facebook.txt"} {
		g := must[graph.Graph](t)(graph.Find(path))
		if path != "" && g.Name == "generated" {
			continue // it stands outside of the repository
		}
		spec := open("graph")
		spec.Limits = roomy()
		c := r.dial(t, r.tenant(t, spec, friends))
		ctx := t.Context()
		if err := load(ctx, c, g.Edges); err != nil {
			t.Fatal(err)
		}
		for _, style := range []string{"view", "scalar", "batch"} {
			for depth, want := range g.Answers {
				if testing.Short() && depth == 3 {
					continue // 68,676 lookups: seconds under the race detector
				}
				v, err := c.Call(ctx, style, 0, depth+1)
				if n, _ := v.Int(); err != nil || n != int64(want) {
					t.Errorf("%s, %s(0, %d) = %v, %v; want %d", g.Name, style, depth+1, v, err, want)
				}
			}
		}
	}
}

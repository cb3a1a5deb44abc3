package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// tenantCommand is the client of the admin socket.
func tenantCommand() *cobra.Command {
	var socket string
	cmd := &cobra.Command{Use: "tenant", Short: "Create, delete, list and trust the tenants of a running server"}
	cmd.PersistentFlags().StringVar(&socket, "socket", os.Getenv("SHREDDER_ADMIN_SOCKET"), "the server's admin socket (admin.socket in its configuration)")
	ask := func(cmd *cobra.Command, method, path string, body, answer any) error {
		if socket == "" {
			return errors.New("which server? give --socket or SHREDDER_ADMIN_SOCKET")
		}
		return call(cmd.Context(), socket, method, path, body, answer)
	}

	var file string
	var quota, token, deployToken, library, graph, trust string
	var id uint32
	var home int
	var limits map[string]string
	var noToken, noDeployToken, development bool
	var trusted []string
	create := &cobra.Command{
		Use: "create [name]", Args: cobra.MaximumNArgs(1),
		Short: "Create a tenant from flags, or from a JSON file with the keys of the configuration",
		RunE: func(cmd *cobra.Command, args []string) error {
			spec := map[string]any{}
			if file != "" {
				text, err := readFile(cmd, file)
				if err != nil {
					return err
				}
				if err := json.Unmarshal(text, &spec); err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
			}
			if len(args) == 1 {
				spec["name"] = args[0]
			}
			for flag, value := range map[string]any{"id": id, "quota": quota, "token": token, "deploy-token": deployToken,
				"no-token": noToken, "no-deploy-token": noDeployToken, "development": development, "library": library, "graph": graph, "trusted-sources": trusted,
				"trust": trust, "home": home, "limits": limits} {
				if cmd.Flags().Changed(flag) {
					spec[flag] = value
				}
			}
			var made struct {
				Name string
				ID   uint32
				Home int
			}
			if err := ask(cmd, http.MethodPost, "/tenants", spec, &made); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "tenant %s has id %d and lives on lcore %d\n", made.Name, made.ID, made.Home)
			return nil
		},
	}
	f := create.Flags()
	f.StringVar(&file, "file", "", "JSON file, - for standard input; flags override it")
	f.Uint32Var(&id, "id", 0, "number on the wire; 0: the server assigns one")
	f.StringVar(&quota, "quota", "", "arena quota, e.g. 64MiB")
	f.StringVar(&token, "token", "", "data token")
	f.StringVar(&deployToken, "deploy-token", "", "deploy token")
	f.BoolVar(&noToken, "no-token", false, "let everybody in")
	f.BoolVar(&noDeployToken, "no-deploy-token", false, "let those deploy who may use the data")
	f.BoolVar(&development, "development", false, "a second of fuel for each call")
	f.StringVar(&library, "library", "", "library on the server's disk: a file, or a directory of .js and .mjs files")
	f.StringVar(&graph, "graph", "", "edge list on the server's disk, stored before the tenant serves: lines \"a b\"")
	f.StringVar(&trust, "trust", "", "sandboxed (compiled functions only, the default) or trusted (the interpreter, too)")
	f.IntVar(&home, "home", 0, "home lcore; without it the one with the least load")
	f.StringToStringVar(&limits, "limit", nil, "a limit of its functions as in the configuration, e.g. fuel=20ms; may be repeated")
	f.StringSliceVar(&trusted, "trusted-sources", nil, "networks that may send requests without a session")

	del := &cobra.Command{
		Use: "delete name", Args: cobra.ExactArgs(1), Short: "Delete a tenant with all its data",
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, http.MethodDelete, "/tenants/"+url.PathEscape(args[0]), nil, nil)
		},
	}
	setTrust := &cobra.Command{
		Use: "trust name sandboxed|trusted", Args: cobra.ExactArgs(2),
		Short: "Change how far a tenant's functions are trusted, from its next call on",
		RunE: func(cmd *cobra.Command, args []string) error {
			return ask(cmd, http.MethodPut, "/tenants/"+url.PathEscape(args[0])+"/trust", map[string]any{"trust": args[1]}, nil)
		},
	}
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Args: cobra.NoArgs, Short: "List the tenants",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer json.RawMessage
			if err := ask(cmd, http.MethodGet, "/tenants", nil, &answer); err != nil {
				return err
			}
			return printTenants(cmd.OutOrStdout(), answer, asJSON)
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print everything, as JSON")
	cmd.AddCommand(create, del, list, setTrust)
	return cmd
}

func readFile(cmd *cobra.Command, path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(path)
}

func printTenants(w io.Writer, answer []byte, asJSON bool) error {
	if asJSON {
		var out bytes.Buffer
		if err := json.Indent(&out, answer, "", "  "); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w, out.String())
		return err
	}
	var list struct {
		Tenants []struct {
			ID     uint32
			Name   string
			Home   int
			Quota  uint64
			Trust  string
			Memory struct{ Keys, Used uint64 }
		}
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tID\tLCORE\tTRUST\tQUOTA\tUSED\tKEYS")
	for _, x := range list.Tenants {
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%d\t%d\t%d\n", x.Name, x.ID, x.Home, x.Trust, x.Quota, x.Memory.Used, x.Memory.Keys)
	}
	return t.Flush()
}

// call asks the admin socket. What the server refuses is an error in its words.
func call(ctx context.Context, socket, method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://shredderd"+path, content)
	if err != nil {
		return err
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		var refused struct{ Error string }
		if err := json.NewDecoder(resp.Body).Decode(&refused); err != nil || refused.Error == "" {
			return fmt.Errorf("the server answers %s", resp.Status)
		}
		return errors.New(refused.Error)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

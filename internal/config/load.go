package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	yamlv3 "go.yaml.in/yaml/v3"
)

// Sources says where settings come from, weakest first.
type Sources struct {
	// File is the path of a YAML file, or empty.
	File string
	// Environ is the environment as os.Environ returns it.
	Environ []string
	// Flags are the flags that were given: key name → value. Lists are
	// separated by commas; EAL arguments, which contain commas, by spaces.
	Flags map[string]string
}

// clientVariables belong to the command line client, not to the daemon.
var clientVariables = []string{"SHREDDER_ADDR", "SHREDDER_TENANT", "SHREDDER_TOKEN"}

// Load reads the configuration and checks it. The error names everything that is
// wrong; the Config then holds what could be read.
func Load(src Sources) (Config, error) {
	var errs []error
	k := koanf.New(".")
	if src.File != "" {
		if err := k.Load(file.Provider(src.File), yaml.Parser()); err != nil {
			errs = append(errs, fmt.Errorf("configuration file %s: %w", src.File, err))
		}
	}
	errs = append(errs, unknown(k.Raw(), reflect.TypeFor[Config](), "")...)
	fromEnv, err := environment(src.Environ)
	errs = append(errs, err)
	errs = append(errs, k.Load(confmap.Provider(fromEnv, "."), nil))
	errs = append(errs, k.Load(confmap.Provider(split(src.Flags), "."), nil))

	c := Default()
	if k.Bool("dev") {
		c.development()
	}
	errs = append(errs, decode(k.Raw(), &c))
	if c.Dev {
		c.addDevTenant()
	}
	errs = append(errs, c.check())
	return c, errors.Join(errs...)
}

// environment returns the settings among the variables, and an error for each
// variable with our prefix that is none.
func environment(environ []string) (map[string]any, error) {
	known := map[string]string{}
	var names []string
	for _, key := range Keys() {
		known[key.Env()] = key.Name
		names = append(names, key.Env())
	}
	for _, name := range clientVariables {
		known[name] = ""
	}
	settings := map[string]string{}
	var errs []error
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		if key, ok := known[name]; !ok {
			errs = append(errs, fmt.Errorf("unknown environment variable %s: did you mean %s?", name, nearest(name, names)))
		} else if key != "" {
			settings[key] = value
		}
	}
	return split(settings), errors.Join(errs...)
}

// split makes lists of the values that are lists.
func split(settings map[string]string) map[string]any {
	m := map[string]any{}
	for _, key := range Keys() {
		value, ok := settings[key.Name]
		switch {
		case !ok:
		case key.Name == "eal":
			m[key.Name] = strings.Fields(value)
		case key.List && value == "":
			m[key.Name] = []string{}
		case key.List:
			m[key.Name] = strings.Split(value, ",")
		default:
			m[key.Name] = value
		}
	}
	return m
}

// decode fills in into from raw. Lists replace the default list, they do not add to it.
func decode(raw map[string]any, into any) error {
	d, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: into, TagName: "yaml", WeaklyTypedInput: true, ZeroFields: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(numbersAsText, wholeNumbers, mapstructure.TextUnmarshallerHookFunc()),
	})
	if err != nil {
		return err
	}
	return d.Decode(raw)
}

// Print writes the effective configuration as YAML, without tokens.
func (c *Config) Print() string {
	b, err := yamlv3.Marshal(c)
	if err != nil {
		return fmt.Sprintf("# %v\n", err)
	}
	return string(b)
}

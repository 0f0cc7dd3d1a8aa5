package settings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// ErrHelp is returned by Load when help was asked for.
var ErrHelp = pflag.ErrHelp

// configName is the option that names the file. It is not a setting: the file cannot name itself.
const configName = "config"

// RequireRegularFile makes Load refuse a file that can be read only once or may never end, such as a pipe.
func (s *Set) RequireRegularFile() { s.regularFile = true }

// Load sets the values: from the file that --config or its environment variable names, if any, over that from the
// environment, over that from the command line. lookup is os.LookupEnv. Errors are sentences for people; nothing may
// be used after one.
func (s *Set) Load(arguments []string, lookup func(variable string) (string, bool)) error {
	flags, given := s.flags()
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return ErrHelp
		}
		return optionError(err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	path, isNamed := given[configName]
	if !isNamed {
		path, _ = lookup(s.Variable(configName))
	}
	if path != "" {
		if err := s.loadFile(path); err != nil {
			return err
		}
	}
	for _, setting := range s.all {
		variable := s.Variable(setting.Name)
		if text, found := lookup(variable); found {
			if err := setting.set(text, Source{kind: fromVariable, name: variable}); err != nil {
				return err
			}
		}
		if text, found := given[setting.Name]; found {
			if err := setting.set(text, Source{kind: fromOption, name: "--" + setting.Name}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Setting) set(text string, source Source) error {
	if err := s.value.Set(text); err != nil {
		return &Error{s.Name, text, err.Error(), source, s.Secret}
	}
	s.source = source
	return nil
}

// flags are the options. What is given on the command line is kept as text, because the file comes first.
func (s *Set) flags() (flags *pflag.FlagSet, given map[string]string) {
	given = make(map[string]string)
	flags = pflag.NewFlagSet(s.program, pflag.ContinueOnError)
	flags.SortFlags = false
	flags.Usage = func() {}
	flags.Var(&givenText{name: configName, kind: "path", given: given}, configName,
		"`path` of a TOML file with any of these settings, written as in max-rooms = 10")
	for _, setting := range s.all {
		flags.Var(&givenText{setting.Name, setting.value.Type(), given}, setting.Name, setting.Usage)
	}
	return flags, given
}

// givenText keeps what the command line gives an option.
type givenText struct {
	name  string
	kind  string
	given map[string]string
}

func (g *givenText) String() string { return "" }
func (g *givenText) Type() string   { return g.kind }
func (g *givenText) Set(text string) error {
	g.given[g.name] = text
	return nil
}

// optionError says in the words of this package what pflag has found.
func optionError(err error) error {
	var missing *pflag.NotExistError
	if errors.As(err, &missing) && missing.GetSpecifiedShortnames() != "" {
		return fmt.Errorf("\"-%s\": options begin with two dashes", missing.GetSpecifiedShortnames())
	}
	if errors.As(err, &missing) {
		return fmt.Errorf("unknown option --%s", missing.GetSpecifiedName())
	}
	if valueless, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return fmt.Errorf("option --%s needs a value", valueless.GetSpecifiedName())
	}
	if syntax, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return fmt.Errorf("unexpected argument %q", syntax.GetSpecifiedFlag())
	}
	return errors.New(strings.TrimSuffix(err.Error(), "\n"))
}

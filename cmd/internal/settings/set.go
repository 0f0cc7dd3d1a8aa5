// Package settings is how a program is told what to do: one TOML file, environment variables and command line options
// over the same names. Each value knows where it came from, and a wrong one is refused with its name, its source and
// what is allowed.
package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Setting is one thing that can be set. The exported fields are the program's and do not change.
type Setting struct {
	Name  string // in kebab case, as in the file and, after two dashes, on the command line
	Usage string // for the help; the word in backquotes names the value
	// Seed is what the book's server calls it, empty if that has no such thing.
	Seed string
	// Live: a change takes effect while the program runs (Reload tells of it). Others need a restart.
	Live bool
	// Secret: the value is never printed.
	Secret bool
	// DefaultText is what the help says instead of the value that it has at first.
	DefaultText string

	value  value
	preset string // what it is if nobody sets it
	source Source
}

// Value is the text of the value, as it could be written on the command line.
func (s *Setting) Value() string { return s.value.String() }

// Default is the text of the value if nobody sets it.
func (s *Setting) Default() string { return s.preset }

// Source tells where the value came from.
func (s *Setting) Source() Source { return s.source }

// Set is all settings of a program, in the order in which they were added. It is filled first and then loaded, once.
// Not for several goroutines.
type Set struct {
	program string
	all     []*Setting
	byName  map[string]*Setting

	regularFile bool // the file has to be one
}

// New makes an empty set. The names of environment variables begin with the program's name.
func New(program string) *Set { return &Set{program: program, byName: make(map[string]*Setting)} }

// Program is the name of the program.
func (s *Set) Program() string { return s.program }

// All returns the settings in the order in which they were added. They belong to the set.
func (s *Set) All() []*Setting { return s.all }

// Find is the setting with a name, nil if there is none.
func (s *Set) Find(name string) *Setting { return s.byName[name] }

// add puts a setting into the set. A name that is there already is a mistake of the program.
func (s *Set) add(setting Setting, value value) {
	if s.byName[setting.Name] != nil {
		panic("settings: two are named " + setting.Name)
	}
	setting.value = value
	setting.preset = value.String()
	s.all = append(s.all, &setting)
	s.byName[setting.Name] = &setting
}

// Variable is the name of the environment variable for a setting: CHATSERVER_MAX_ROOMS for max-rooms.
func (s *Set) Variable(name string) string {
	return strings.ToUpper(strings.ReplaceAll(s.program+"_"+name, "-", "_"))
}

// UnknownVariables are those of environ (os.Environ) whose names begin as those of settings do and that are none. What
// Kubernetes sets for a service with the program's name is left out.
func (s *Set) UnknownVariables(environ []string) []string {
	known := map[string]bool{s.Variable(configName): true}
	for _, setting := range s.all {
		known[s.Variable(setting.Name)] = true
	}
	var unknown []string
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		ending, isOurs := strings.CutPrefix(name, s.Variable(""))
		if isOurs && !known[name] && !serviceLink.MatchString(ending) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	return unknown
}

// serviceLink are the ends of the variables that Kubernetes sets for a service ("Accessing the Service", environment
// variables, in its documentation).
var serviceLink = regexp.MustCompile(`^(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// Source is where a value came from.
type Source struct {
	kind sourceKind
	name string // the variable or the file
	line int    // in the file, from 1
}

type sourceKind int

// In order of precedence: a later one wins.
const (
	fromDefault sourceKind = iota
	fromFile
	fromVariable
	fromOption
)

// IsDefault reports whether nobody has set the value.
func (s Source) IsDefault() bool { return s.kind == fromDefault }

// String names the source for people: "default", "chatserver.toml:3", "CHATSERVER_PORT", "--port".
func (s Source) String() string {
	switch s.kind {
	case fromFile:
		return fmt.Sprintf("%s:%d", s.name, s.line)
	case fromVariable, fromOption:
		return s.name
	default:
		return "default"
	}
}

// Error says that a setting has a value that is not allowed, and where that value came from.
type Error struct {
	Name    string
	Value   string
	Allowed string
	Source  Source
	Secret  bool // Value is not to be shown
}

func (e *Error) Error() string {
	shown := fmt.Sprintf("%q", e.Value)
	if e.Secret {
		shown = "not shown here"
	}
	switch e.Source.kind {
	case fromFile:
		return fmt.Sprintf("%s: %s is %s, allowed is %s", e.Source, e.Name, shown, e.Allowed)
	case fromVariable:
		return fmt.Sprintf("environment variable %s is %s, allowed is %s", e.Source, shown, e.Allowed)
	default:
		return fmt.Sprintf("option --%s is %s, allowed is %s", e.Name, shown, e.Allowed)
	}
}

// Refuse is the error for a value that is wrong beside others, which only the program can know.
func (s *Set) Refuse(name, allowed string) error {
	setting := s.byName[name]
	return &Error{name, setting.Value(), allowed, setting.source, setting.Secret}
}

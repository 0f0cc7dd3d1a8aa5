package settings

import (
	"fmt"
	"io"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/pflag"
)

// helpWidth is how long the lines of the help are.
const helpWidth = 100

// WriteHelp lists the options of the command line.
func (s *Set) WriteHelp(to io.Writer) {
	flags, _ := s.flags()
	flags.VisitAll(func(f *pflag.Flag) {
		argument, usage := pflag.UnquoteUsage(f)
		if setting := s.byName[f.Name]; setting != nil {
			var notes []string
			if text := setting.defaultForHelp(); text != "" {
				notes = append(notes, "default "+text)
			}
			if setting.Live {
				notes = append(notes, "live")
			}
			if len(notes) > 0 {
				usage += " (" + strings.Join(notes, "; ") + ")"
			}
		}
		fmt.Fprintf(to, "  --%s %s\n%s", f.Name, argument, wrapped(usage, "        "))
	})
	fmt.Fprintf(to, "\n%s", wrapped(fmt.Sprintf("Each can be set in the file that --%s names, too, and by an environment "+
		"variable: --log-level is %s. The command line wins over the environment, and that over the file. Those that "+
		"are live change when the settings are loaded again: on SIGHUP, or by the admin page.", configName,
		s.Variable("log-level")), ""))
}

// wrapped is a text as lines that begin with indent.
func wrapped(text, indent string) string {
	var lines strings.Builder
	line := indent
	for word := range strings.FieldsSeq(text) {
		if line != indent && len(line)+1+len(word) > helpWidth {
			lines.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return lines.String() + line + "\n"
}

func (s *Setting) defaultForHelp() string {
	if s.DefaultText != "" {
		return s.DefaultText
	}
	return s.preset
}

// WriteConfig prints every value with its source, as a file that --config takes.
func (s *Set) WriteConfig(to io.Writer) {
	lines := make([]string, len(s.all))
	width := 0
	for i, setting := range s.all {
		lines[i] = setting.assignment()
		if setting.Secret && setting.Value() != "" {
			lines[i] = "# " + setting.Name + " is set and not shown"
		}
		width = max(width, len([]rune(lines[i])))
	}
	width = min(width, 40)
	for i, setting := range s.all {
		fmt.Fprintf(to, "%-*s # %s\n", width, lines[i], setting.source)
	}
}

// assignment is the setting as a line of TOML.
func (s *Setting) assignment() string {
	if !s.value.isText() {
		return s.Name + " = " + s.Value()
	}
	line, err := toml.Marshal(map[string]string{s.Name: s.Value()})
	if err != nil { // text in UTF-8 can always be written
		panic(err)
	}
	return strings.TrimSuffix(string(line), "\n")
}

// Changed lists the names of the settings whose values differ between two sets of one program.
func Changed(before, after *Set) []string {
	var names []string
	for _, setting := range after.all {
		if other := before.byName[setting.Name]; other == nil || other.Value() != setting.Value() {
			names = append(names, setting.Name)
		}
	}
	return names
}

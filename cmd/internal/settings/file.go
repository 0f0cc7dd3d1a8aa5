package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxFile bounds the file: far more than any settings need.
const maxFile = 1 << 20

// loadFile sets what the file names.
func (s *Set) loadFile(path string) error {
	if info, err := os.Stat(path); s.regularFile && err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file: it cannot be read again", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	_ = file.Close() // it was only read
	if err != nil {
		return fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	if len(data) > maxFile {
		return fmt.Errorf("%s: a configuration file has at most %d bytes", path, maxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // Windows programs like to begin a text with a byte order mark
	values := make(map[string]any)
	if err := toml.Unmarshal(data, &values); err != nil {
		if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
			line, column := wrong.Position()
			return fmt.Errorf("%s:%d:%d: %s", path, line, column, wrong.Error())
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, entry := range entriesOf(data) {
		source := Source{kind: fromFile, name: path, line: entry.line}
		if entry.isTable {
			return fmt.Errorf("%s: [%s] is a table; settings are written without one", source, entry.name)
		}
		setting := s.byName[entry.name]
		if setting == nil {
			return fmt.Errorf("%s: there is no setting %s; %s --help lists them", source, entry.name, s.program)
		}
		text, isRight := textOf(values[entry.name], setting.value.isText())
		if !isRight {
			allowed := "a whole number, without quotes"
			if setting.value.isText() {
				allowed = "a text between quotes"
			}
			return &Error{setting.Name, fmt.Sprint(values[entry.name]), allowed, source, setting.Secret}
		}
		if err := setting.set(text, source); err != nil {
			return err
		}
	}
	return nil
}

// textOf is a TOML value as the command line would have it, if it is of the right type.
func textOf(value any, wantsText bool) (text string, isRight bool) {
	switch v := value.(type) {
	case string:
		return v, wantsText
	case int64:
		return strconv.FormatInt(v, 10), !wantsText
	}
	return "", false
}

// entry is something at the top of a TOML file.
type entry struct {
	name    string
	line    int
	isTable bool
}

// entriesOf lists what a file that was found to be right has at its top, in its order.
func entriesOf(data []byte) []entry {
	var entries []entry
	var parser unstable.Parser
	parser.Reset(data)
	for parser.NextExpression() {
		expression := parser.Expression()
		keys := expression.Key()
		if !keys.Next() {
			continue
		}
		first := keys.Node()
		line := parser.Shape(first.Raw).Start.Line
		// a.b = 1 is a table, too.
		isTable := expression.Kind != unstable.KeyValue || !keys.IsLast()
		entries = append(entries, entry{string(first.Data), line, isTable})
		if isTable {
			break // what follows belongs to it, and it is refused
		}
	}
	return entries
}

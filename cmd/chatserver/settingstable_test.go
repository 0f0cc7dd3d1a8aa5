package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/cmd/internal/settings"
)

var update = flag.Bool("update", false, "write docs/settings.md instead of comparing it")

const settingsTable = "../../docs/settings.md"

// The table of the documentation is what the program says of its settings, so it cannot be out of date.
func TestTheTableOfTheSettings(t *testing.T) {
	table := renderSettings(program.Settings())
	if *update {
		require.NoError(t, os.WriteFile(settingsTable, []byte(table), 0o644))
		return
	}
	written, err := os.ReadFile(settingsTable)
	require.NoError(t, err)
	assert.Equal(t, table, string(written), "go test ./cmd/chatserver -run TableOfTheSettings -update writes it")
}

const settingsHead = `# Settings of chatserver

Each setting has one name. ` + "`max-rooms`" + ` is ` + "`max-rooms = 10`" + ` in the file, ` + "`CHATSERVER_MAX_ROOMS=10`" +
	` in the environment and
` + "`--max-rooms 10`" + ` on the command line. [operations.md](operations.md#configuration) tells how they go together;
한국어: [operations.ko.md](operations.ko.md#설정).

- **book**: what the server of the book calls it, where it has it.
- **live**: yes: a reload takes the change over while the server runs. Others need a restart.

This file is written by ` + "`go test ./cmd/chatserver -run TableOfTheSettings -update`" + `, from what the program itself
knows. A test compares the two.

| setting | book | default | live | meaning |
|---|---|---|---|---|
`

func renderSettings(all []*settings.Setting) string {
	var page strings.Builder
	page.WriteString(settingsHead)
	for _, setting := range all {
		live := ""
		if setting.Live {
			live = "yes"
		}
		// As in the help: the word in backquotes names the value, and the sentence loses the quotes.
		_, usage := pflag.UnquoteUsage(&pflag.Flag{Name: setting.Name, Usage: setting.Usage})
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s | %s |\n", setting.Name, setting.Seed, defaultOf(setting), live,
			strings.ReplaceAll(usage, "|", `\|`))
	}
	return page.String()
}

func defaultOf(setting *settings.Setting) string {
	switch {
	case setting.Secret:
		return ""
	case setting.DefaultText != "":
		return setting.DefaultText
	case setting.Default() == "":
		return "none"
	default:
		return "`" + setting.Default() + "`"
	}
}

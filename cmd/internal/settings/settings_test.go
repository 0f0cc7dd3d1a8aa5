package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/scratchfolder"
)

// values are what the set of a test fills.
type values struct {
	rooms    int
	patience time.Duration
	level    string
	greeting string
	secret   string
}

func newSet() (*Set, *values) {
	v := &values{rooms: 10, patience: time.Minute, level: "info"}
	set := New("chat-server")
	set.Int(&v.rooms, 1, 100, Setting{Name: "max-rooms", Seed: "MaxRoomCount", Usage: "`number` of rooms"})
	set.Duration(&v.patience, 0, time.Hour, Setting{Name: "patience", Live: true, Usage: "`time` to wait"})
	set.Choice(&v.level, []string{"debug", "info", "warn"}, Setting{Name: "log-level", Live: true, Usage: "least `level`"})
	set.Text(&v.greeting, nil, Setting{Name: "greeting", Usage: "`text` to say"})
	set.Text(&v.secret, func(text string) error {
		if len(text) < 4 {
			return errors.New("4 characters at least")
		}
		return nil
	}, Setting{Name: "token", Secret: true, Usage: "`secret`"})
	return set, v
}

// environment is a lookup of a few variables: NAME=value.
func environment(variables ...string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		for _, variable := range variables {
			if value, found := strings.CutPrefix(variable, name+"="); found {
				return value, true
			}
		}
		return "", false
	}
}

func writeConfig(t *testing.T, text string) string {
	path := filepath.Join(scratchfolder.New(t), "chat.toml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestPrecedence(t *testing.T) {
	path := writeConfig(t, "\ufeff# rooms\r\nmax-rooms = 1_1\npatience = \"2m\"\n\nlog-level = 'warn'\n")
	set, v := newSet()
	require.NoError(t, set.Load([]string{"--config", path, "--log-level=debug"},
		environment("CHAT_SERVER_PATIENCE=3m", "CHAT_SERVER_LOG_LEVEL=warn", "CHAT_SERVER_TOKEN=secret")))
	assert.Equal(t, values{rooms: 11, patience: 3 * time.Minute, level: "debug", secret: "secret"}, *v)
	sources := map[string]string{}
	for _, setting := range set.All() {
		sources[setting.Name] = setting.Source().String()
	}
	assert.Equal(t, map[string]string{"max-rooms": path + ":2", "patience": "CHAT_SERVER_PATIENCE",
		"log-level": "--log-level", "greeting": "default", "token": set.Variable("token")}, sources)
	assert.Equal(t, "10", set.Find("max-rooms").Default())
	assert.True(t, set.Find("greeting").Source().IsDefault())
}

// A variable that is misspelt is found; other programs' are not looked at, and neither are Kubernetes'.
func TestUnknownVariables(t *testing.T) {
	set, _ := newSet()
	assert.Equal(t, []string{"CHAT_SERVER_", "CHAT_SERVER_MAXROOMS", "CHAT_SERVER_PORTS"}, set.UnknownVariables([]string{
		"CHAT_SERVER_PORTS=1", "CHAT_SERVER_MAXROOMS=5=6", "CHAT_SERVER_MAX_ROOMS=5", "CHAT_SERVER_CONFIG=x", "CHAT_SERVER_=",
		"CHAT_SERVER", "CHAT_SERVERS=1", "PATH=/bin", "OTHER_CHAT_SERVER_X=1", "=C:=C:\\",
		"CHAT_SERVER_SERVICE_HOST=10.0.0.1", "CHAT_SERVER_SERVICE_PORT=7", "CHAT_SERVER_SERVICE_PORT_CHAT=7",
		"CHAT_SERVER_PORT_7_TCP=tcp://10.0.0.1:7", "CHAT_SERVER_PORT_7_TCP_ADDR=10.0.0.1",
		"CHAT_SERVER_PORT=tcp://10.0.0.1:7",
	}))
}

func TestTheEnvironmentNamesTheFile(t *testing.T) {
	path := writeConfig(t, "max-rooms = 12\n")
	set, v := newSet()
	require.NoError(t, set.Load(nil, environment("CHAT_SERVER_CONFIG="+path)))
	assert.Equal(t, 12, v.rooms)

	set, v = newSet()
	require.NoError(t, set.Load([]string{"--config", ""}, environment("CHAT_SERVER_CONFIG="+path)))
	assert.Equal(t, 10, v.rooms, "the command line wins here, too")
}

// What config prints is a file that gives the same values.
func TestWriteConfigIsAFile(t *testing.T) {
	greetings := []string{"", "hello", `it's "so"`, "안녕\t하세요", "a # b", "\\", "\x7f\x01"}
	for _, greeting := range greetings {
		set, _ := newSet()
		require.NoError(t, set.Load([]string{"--greeting", greeting, "--patience", "90s", "--token", "secret"}, environment()))
		var printed strings.Builder
		set.WriteConfig(&printed)
		assert.NotContains(t, printed.String(), "secret\"")
		assert.NotContains(t, printed.String(), "'secret'")
		assert.Contains(t, printed.String(), "# token is set and not shown")

		again, v := newSet()
		require.NoError(t, again.Load([]string{"--config", writeConfig(t, printed.String())}, environment()), printed.String())
		assert.Equal(t, values{rooms: 10, patience: 90 * time.Second, level: "info", greeting: greeting}, *v)
		assert.Equal(t, []string{"token"}, Changed(set, again))
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name, file  string
		arguments   string
		environment string
		want        string
	}{
		{name: "range", arguments: "--max-rooms 101", want: `option --max-rooms is "101", allowed is a whole number from 1 to 100`},
		{name: "variable", environment: "CHAT_SERVER_MAX_ROOMS=x",
			want: `environment variable CHAT_SERVER_MAX_ROOMS is "x", allowed is a whole number from 1 to 100`},
		{name: "file", file: "\n\nmax-rooms = 0\n", want: `FILE:3: max-rooms is "0", allowed is a whole number from 1 to 100`},
		{name: "type", file: "max-rooms = [1]", want: `FILE:1: max-rooms is "[1]", allowed is a whole number, without quotes`},
		{name: "float", file: "max-rooms = 10.0", want: `FILE:1: max-rooms is "10", allowed is a whole number, without quotes`},
		{name: "quoted number", file: "max-rooms = '10'", want: `FILE:1: max-rooms is "10", allowed is a whole number, without quotes`},
		{name: "date", file: "patience = 2026-01-01", want: `FILE:1: patience is "2026-01-01", allowed is a text between quotes`},
		{name: "number", file: "greeting = 5", want: `FILE:1: greeting is "5", allowed is a text between quotes`},
		{name: "unknown", file: "log-level = \"info\"\nrooms = 5", want: `FILE:2: there is no setting rooms; chat-server --help lists them`},
		{name: "table", file: "[log]\nlevel = 5", want: `FILE:1: [log] is a table; settings are written without one`},
		{name: "dotted", file: "log.level = 5", want: `FILE:1: [log] is a table; settings are written without one`},
		{name: "twice", file: "max-rooms = 5\nmax-rooms = 6", want: "FILE"},
		{name: "syntax", file: "max-rooms 5", want: "FILE:1:"},
		{name: "not UTF-8", file: "greeting = \"\xff\"", want: "FILE:1:"},
		{name: "choice", arguments: "--log-level loud", want: `option --log-level is "loud", allowed is debug, info or warn`},
		{name: "duration", arguments: "--patience 2h", want: `option --patience is "2h", allowed is a time from 0s to 1h0m0s, such as 1500ms or 5s`},
		{name: "secret", arguments: "--token abc", want: `option --token is not shown here, allowed is 4 characters at least`},
		{name: "missing file", arguments: "--config /no/such/file", want: "the configuration file cannot be read: "},
		{name: "no value", arguments: "--max-rooms", want: "option --max-rooms needs a value"},
		{name: "unknown option", arguments: "--rooms 5", want: "unknown option --rooms"},
		{name: "one dash", arguments: "-max-rooms 5", want: `"-max-rooms": options begin with two dashes`},
		{name: "argument", arguments: "five", want: `unexpected argument "five"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			arguments := strings.Fields(test.arguments)
			want := test.want
			if test.file != "" {
				path := writeConfig(t, test.file)
				arguments = append(arguments, "--config", path)
				want = strings.Replace(want, "FILE", path, 1)
			}
			set, _ := newSet()
			err := set.Load(arguments, environment(test.environment))
			require.Error(t, err)
			assert.True(t, strings.HasPrefix(err.Error(), want), "%q does not begin with %q", err, want)
		})
	}
}

func TestAFileThatIsTooLarge(t *testing.T) {
	set, _ := newSet()
	err := set.Load([]string{"--config", writeConfig(t, strings.Repeat("#\n", maxFile))}, environment())
	require.ErrorContains(t, err, "a configuration file has at most 1048576 bytes")
}

func TestRefuse(t *testing.T) {
	set, _ := newSet()
	require.NoError(t, set.Load([]string{"--config", writeConfig(t, "max-rooms = 5\n")}, environment()))
	err := set.Refuse("max-rooms", "as many as there are doors")
	require.ErrorContains(t, err, `chat.toml:1: max-rooms is "5", allowed is as many as there are doors`)
	var wrong *Error
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, "max-rooms", wrong.Name)
}

func TestHelp(t *testing.T) {
	set, _ := newSet()
	require.ErrorIs(t, set.Load([]string{"--help"}, environment()), ErrHelp)
	var help strings.Builder
	set.WriteHelp(&help)
	assert.Contains(t, help.String(), "  --max-rooms number\n        number of rooms (default 10)\n")
	assert.Contains(t, help.String(), "  --patience time\n        time to wait (default 1m; live)\n")
	for line := range strings.Lines(help.String()) {
		assert.LessOrEqual(t, len(line), helpWidth+1)
	}
	assert.Contains(t, help.String(), "  --config path\n")
	assert.Contains(t, help.String(), "CHAT_SERVER_LOG_LEVEL")
}

func TestTwoSettingsOfOneName(t *testing.T) {
	set, v := newSet()
	assert.Panics(t, func() { set.Int(&v.rooms, 1, 2, Setting{Name: "max-rooms"}) })
}

func TestDurationsAreShort(t *testing.T) {
	for duration, want := range map[time.Duration]string{0: "0s", time.Minute: "1m", time.Hour: "1h", 90 * time.Second: "1m30s",
		time.Hour + time.Minute: "1h1m", 10 * time.Minute: "10m", 20 * time.Hour: "20h", 250 * time.Millisecond: "250ms",
		time.Hour + 10*time.Second: "1h0m10s"} {
		value := durationValue{target: &duration}
		assert.Equal(t, want, value.String())
		again, err := time.ParseDuration(want)
		require.NoError(t, err)
		assert.Equal(t, duration, again)
	}
}

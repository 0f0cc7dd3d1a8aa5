package chatbench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runMain runs the program and returns what it has written.
func runMain(t *testing.T, scenario string, arguments ...string) (stdout, stderr string, code int) {
	t.Helper()
	folder, err := os.MkdirTemp("", "chatbench-test")
	require.NoError(t, err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "scenario.toml")
	require.NoError(t, os.WriteFile(path, []byte(scenario), 0o600))
	out, err := os.Create(filepath.Join(folder, "stdout"))
	require.NoError(t, err)
	defer out.Close()
	errors, err := os.Create(filepath.Join(folder, "stderr"))
	require.NoError(t, err)
	defer errors.Close()
	code = Main(append(arguments, path), out, errors)
	read := func(name string) string {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		return string(content)
	}
	return read(out.Name()), read(errors.Name()), code
}

const echo = "name = \"x\"\nworkload = \"echo\"\nconnections = 1\nin_flight = 1\n"

func TestWrongOptions(t *testing.T) {
	for _, c := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"--nothing"}, "nothing"},
		{[]string{"--pid", "0"}, "allowed is the id of a process"},
		{[]string{"--address", "here"}, `option --address is "here"`},
		{[]string{"--in-flight", "0"}, "in_flight is 0"},
		{[]string{"--rate", "fast"}, "allowed is a number"},
		{[]string{"--duration", "5"}, "allowed is a time"},
		{[]string{"--count-syscalls"}, "needs --pid"},
		{[]string{"--door", "udp"}, "a door is tcp, tls, ws or wss"},
		{[]string{"--door", "ws", "--tls-insecure"}, "need --door tls or wss"},
		{[]string{"--door", "wss", "--tls-ca", "no-such-file"}, "option --tls-ca: "},
		{[]string{"another.toml"}, "unexpected argument"},
	} {
		_, stderr, code := runMain(t, echo, c.arguments...)
		assert.Equal(t, exitUsage, code, c.arguments)
		assert.Contains(t, stderr, c.want)
	}
	_, stderr, code := runMain(t, echo+"speed = 3")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, `scenario.toml:5: there is no key "speed"`)
}

func TestHelp(t *testing.T) {
	stdout, _, code := runMain(t, echo, "--help")
	assert.Equal(t, exitOK, code)
	assert.Contains(t, stdout, "--count-syscalls")
}

func TestNoServer(t *testing.T) {
	_, stderr, code := runMain(t, echo, "--address", "127.0.0.1:1")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "client 1 of 1")
}

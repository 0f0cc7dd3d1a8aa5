package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWrongOptions(t *testing.T) {
	for _, test := range []struct{ arguments, want string }{
		{"--user=", `option --user is "", allowed are 1 to 20 bytes`},
		{"--user=" + strings.Repeat("가", 7), "21 bytes where 20 fit"},
		{"--user=a\x1b", "control character"},
		{"--room=x", `option --room is "x", allowed is a whole number`},
		{"--room=2147483648", "allowed is a whole number"},
	} {
		var stdout, stderr bytes.Buffer
		assert.Equal(t, exitUsage, run([]string{test.arguments}, os.Stdin, &stdout, &stderr), test.arguments)
		assert.Contains(t, stderr.String(), test.want)
	}
}

func TestUserAndRoomInAScript(t *testing.T) {
	for _, test := range []struct {
		room, stdout string
		code         int
	}{
		{"3", "* logged in as 앨리스\n* entered room 3, nobody is there yet\n[앨리스] 안녕\n", exitOK},
		{"-1", "* logged in as 앨리스\n* enter refused: there is no such room (61 ROOM_INVALID_INDEX)\n" +
			"* message refused: you are in no room (81 CHAT_ROOM_INVALID_ROOM_NUMBER)\n", exitRefused},
	} {
		input, writer, err := os.Pipe()
		require.NoError(t, err)
		_, err = writer.WriteString("안녕\n")
		require.NoError(t, err)
		require.NoError(t, writer.Close())
		var stdout, stderr bytes.Buffer
		code := run([]string{"--addr", startServer(t), "--plain", "--user", "앨리스", "--room", test.room}, input, &stdout,
			&stderr)
		require.NoError(t, input.Close())
		assert.Equal(t, test.code, code)
		assert.Equal(t, test.stdout, stdout.String())
		assert.Empty(t, stderr.String())
	}
}

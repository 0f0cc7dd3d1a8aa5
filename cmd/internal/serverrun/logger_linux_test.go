package serverrun

import (
	"bufio"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestTheLogIsForPeopleOnATerminal(t *testing.T) {
	for _, test := range []struct{ noColor, want string }{
		{"", "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3}  \x1b\\[\\d+mWARN\x1b\\[0m  this  \\{\"n\": 1\\}\r\n$"},
		{"1", "^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d\\.\\d{3}  WARN  this  \\{\"n\": 1\\}\r\n$"},
	} {
		t.Setenv("NO_COLOR", test.noColor)
		person, terminal, err := pty.Open()
		require.NoError(t, err)
		logger, queue := newLogger(terminal, &Options{LogFormat: "auto"}, zapcore.InfoLevel)
		logger.Warn("this", zap.Int("n", 1))
		require.True(t, queue.Close(patience))
		line, err := bufio.NewReader(person).ReadString('\n')
		require.NoError(t, err)
		assert.Regexp(t, test.want, line)
		require.NoError(t, terminal.Close())
		require.NoError(t, person.Close())
	}
}

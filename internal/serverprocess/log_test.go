package serverprocess

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheLogOfAServer(t *testing.T) {
	var copied bytes.Buffer
	log := NewLog(&copied)
	text := `{"level":"info","msg":"ready","port":1,"ports":{"tcp":1,"wss":4},"admin":"http://127.0.0.1:5/"}
{"level":"warn","msg":"a violation"}
{"level":"error","msg":"bad"}
WARNING: DATA RACE

{"level":"info","msg":"totals","logins":7,"closed":{"send_buffer_full":3}}
{"level":"info","msg":"without an end"`
	for i := range text { // however it is cut
		n, err := log.Write([]byte(text[i : i+1]))
		require.NoError(t, err)
		require.Equal(t, 1, n)
	}
	assert.Equal(t, text, copied.String())
	assert.Equal(t, []string{`{"level":"error","msg":"bad"}`, "WARNING: DATA RACE"}, log.Errors())
	assert.EqualValues(t, 7, log.Total("logins"))
	assert.EqualValues(t, 3, log.Total("closed.send_buffer_full"))
	assert.Zero(t, log.Total("closed.logic"))
	assert.Zero(t, log.Total("nothing.at.all"))
	port, ok := log.doorPort("wss")
	assert.True(t, ok)
	assert.Equal(t, 4, port)
	url, ok := log.adminURL()
	assert.True(t, ok)
	assert.Equal(t, "http://127.0.0.1:5/", url)
	_, ok = log.doorPort("ws")
	assert.False(t, ok)
}

func TestTheLogKeepsALittleOnly(t *testing.T) {
	log := NewLog(nil)
	for i := range 1000 {
		_, _ = fmt.Fprintf(log, "{\"level\":\"error\",\"n\":%d}\n", i)
	}
	_, _ = log.Write(bytes.Repeat([]byte{'x'}, 10*maxLine)) // a line without an end
	assert.Len(t, log.Errors(), keptErrors)
	assert.Equal(t, keptLines, strings.Count(log.Tail(), "\n")+1)
	assert.Contains(t, log.Tail(), `"n":999}`)
	assert.LessOrEqual(t, len(log.partial), maxLine)
}

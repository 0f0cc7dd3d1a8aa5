package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/scratchfolder"
)

func TestTheFileOfRooms(t *testing.T) {
	file := roomFile{filepath.Join(scratchfolder.New(t), "iocpnetlib", "chatclient.toml")}
	rooms, err := file.load()
	require.NoError(t, err)
	assert.Empty(t, rooms)
	adding := func(room listedRoom) func([]listedRoom) []listedRoom {
		return func(rooms []listedRoom) []listedRoom { return withRoom(rooms, room) }
	}
	_, err = file.change(adding(listedRoom{7, "우리 \"방\""}))
	require.NoError(t, err)
	_, err = file.change(adding(listedRoom{Number: -1})) // as another client would
	require.NoError(t, err)
	rooms, err = file.change(adding(listedRoom{Number: 7})) // entered once more
	require.NoError(t, err)
	want := []listedRoom{{7, "우리 \"방\""}, {Number: -1}}
	assert.Equal(t, want, rooms)
	rooms, err = file.load()
	require.NoError(t, err)
	assert.Equal(t, want, rooms)
	left, err := os.ReadDir(filepath.Dir(file.path))
	require.NoError(t, err)
	assert.Len(t, left, 1, "nothing is left of the writing")
	for i := range int32(maxListed + 5) {
		rooms = withRoom(rooms, listedRoom{Number: i})
	}
	assert.Len(t, rooms, maxListed)
}

func TestAFileOfRoomsThatIsWrongIsLeftAlone(t *testing.T) {
	path := filepath.Join(scratchfolder.New(t), "rooms.toml")
	for content, want := range map[string]string{
		"[[room]\n": "toml",
		"[[room]]\nnumber = 1\nname = \"" + strings.Repeat("x", 61) + `"`: "the name of room 1 is too long",
		strings.Repeat("#", maxRoomFile+1):                                "which this program did not write",
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := roomFile{path}.change(func(rooms []listedRoom) []listedRoom { return rooms })
		assert.ErrorContains(t, err, want)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, content, string(after))
		s := newScreen("", nil, roomFile{path}, true)
		assert.Contains(t, s.View().Content, "the list of rooms is not kept")
	}
	require.NoError(t, os.WriteFile(path, []byte("[[room]]\nnumber = 1\nname = \"\\u001b[2J\""), 0o600))
	rooms, err := roomFile{path}.load()
	require.NoError(t, err)
	assert.Equal(t, []listedRoom{{1, `\x1b[2J`}}, rooms)
}

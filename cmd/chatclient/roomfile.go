package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

// maxRoomFile bounds what is read of the file: many times what this program writes.
const maxRoomFile = 1 << 16

// roomFile keeps the list of rooms from one run to the next. Several clients may use one file.
type roomFile struct{ path string }

// usualRoomFile is the user's own.
func usualRoomFile() (roomFile, error) {
	folder, err := os.UserConfigDir()
	if err != nil {
		return roomFile{}, fmt.Errorf("the rooms cannot be kept: %w", err)
	}
	return roomFile{filepath.Join(folder, "iocpnetlib", "chatclient.toml")}, nil
}

// roomFileText is the file's content.
type roomFileText struct {
	Rooms []listedRoom `toml:"room"`
}

// load reads the list. A file that is not there is an empty one.
func (f roomFile) load() ([]listedRoom, error) {
	if f.path == "" {
		return nil, nil
	}
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > maxRoomFile {
		return nil, fmt.Errorf("%s has %d bytes, which this program did not write", f.path, info.Size())
	}
	text, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	var content roomFileText
	if err := toml.Unmarshal(text, &content); err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	var rooms []listedRoom
	for _, room := range content.Rooms { // it may have been written by hand
		if len(room.Name) > maxRoomName {
			return nil, fmt.Errorf("%s: the name of room %d is too long", f.path, room.Number)
		}
		room.Name = printable([]byte(room.Name))
		rooms = withRoom(rooms, room)
	}
	return rooms, nil
}

// change applies a change to the list in the file, which another client may have changed, too, and returns what it
// is now. A file that cannot be read is not overwritten.
func (f roomFile) change(how func([]listedRoom) []listedRoom) ([]listedRoom, error) {
	if f.path == "" {
		return nil, errors.New("there is no folder for settings")
	}
	rooms, err := f.load()
	if err != nil {
		return nil, err
	}
	rooms = how(rooms)
	text, err := toml.Marshal(roomFileText{rooms})
	if err != nil {
		return nil, err
	}
	return rooms, f.replace(text)
}

// replace writes a new file beside the old one and puts it in its place, so that there is always a whole one.
func (f roomFile) replace(text []byte) error {
	folder := filepath.Dir(f.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, filepath.Base(f.path)+".*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), f.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

//go:build cgo

package bridge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"iocpnetlib/internal/scratchfolder"
)

// crashVariable makes the test binary a process that crashes: its value is the way, then the folder.
const crashVariable = "BRIDGE_TEST_CRASH"

// runCrashChild does what a process of the tests below is made for, and never returns.
func runCrashChild(way, folder string) {
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	core, err := Open(CoreAuto, zap.NewNop())
	check(err)
	if way != "poll without a file" {
		check(EnableMiniDump(core, folder))
	}
	switch way {
	case "poll", "poll without a file":
		crashInPoll(core)
	case "panic", "recovered":
		func() {
			defer func() {
				if way == "recovered" && recover() != nil {
					check(core.Close())
					fmt.Println("recovered")
					os.Exit(0)
				}
			}()
			var nothing *Config
			nothing.Port = 1
		}()
	case "nil function":
		func() {
			defer func() { fmt.Println("recovered:", recover()) }()
			var nothing func()
			nothing()
		}()
		os.Exit(0)
	}
	os.Exit(1) // it should have ended before
}

// crashInPoll has the library, which trusts its caller, write messages where there is no memory.
func crashInPoll(core Core) {
	config := DefaultConfig()
	config.Port, config.BindAddress = 0, "127.0.0.1"
	if err := core.Start(config); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	client, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", core.Port()))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer client.Close()
	native := core.(*nativeCore)
	native.messages = nowhere(native.messages)
	_, _ = core.Poll(make([]Message, 1), 10*time.Second)
	fmt.Fprintln(os.Stderr, "it did not crash")
}

// nowhere is a slice of the same type that points to no memory.
func nowhere[T any](like []T) []T {
	address := uintptr(1) << 44
	return unsafe.Slice(*(**T)(unsafe.Pointer(&address)), len(like))
}

// crash runs a process and returns its exit code, its standard output and error, and its crash file, if any.
func crash(t *testing.T, way string) (code int, output, name string, file []byte) {
	t.Helper()
	folder := filepath.Join(scratchfolder.New(t), "a folder", "크래시")
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(self)
	command.Env = append(os.Environ(), crashVariable+"="+way+","+folder, "GOTRACEBACK=single")
	var text bytes.Buffer
	command.Stdout, command.Stderr = &text, &text
	require.NoError(t, command.Start())
	timer := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	err = command.Wait()
	require.True(t, timer.Stop(), "the process hangs:\n%s", text.String())
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		require.ErrorIs(t, err, os.ErrNotExist)
		_, err = os.Stat(filepath.Dir(folder))
		assert.ErrorIs(t, err, os.ErrNotExist, "the folder above it was made and left")
		return command.ProcessState.ExitCode(), text.String(), "", nil
	}
	require.Len(t, entries, 1, "%s", text.String())
	file, err = os.ReadFile(filepath.Join(folder, entries[0].Name()))
	require.NoError(t, err)
	return command.ProcessState.ExitCode(), text.String(), entries[0].Name(), file
}

func TestACrashInTheNativeCoreLeavesAFile(t *testing.T) {
	code, output, name, file := crash(t, "poll")
	require.NotNil(t, file, "%s", output)
	assert.Contains(t, output, "crash file: ")
	assert.Contains(t, output, name)
	if runtime.GOOS == "windows" {
		assert.Regexp(t, `^IocpNetLib-\d{8}-\d{6}-\d+\.dmp$`, name)
		assert.Equal(t, uint32(0xC0000005), minidumpException(t, file), "access violation")
	} else {
		assert.Regexp(t, `^IocpNetLib-\d{8}-\d{6}-\d+\.txt$`, name)
		for _, part := range []string{"signal    11 SIGSEGV", "address   0x00001000000000", "\nRegisters\n", "\nBacktrace ",
			" NetLib::IOCPServerNet::Poll(", " NetLib_Poll + 0x", "\nMemory map\n", "[stack]"} {
			assert.Contains(t, string(file), part)
		}
	}
	// The rest is as without the file: on Linux the Go runtime's report. Wine does not get as far as that; it ends the
	// process with the exception's code.
	plainCode, plainOutput, _, plainFile := crash(t, "poll without a file")
	assert.Nil(t, plainFile)
	assert.Equal(t, plainCode, code, "%s\n%s", output, plainOutput)
	const report = "bridge.(*nativeCore).Poll"
	assert.Equal(t, strings.Contains(plainOutput, report), strings.Contains(output, report), "%s\n%s", output, plainOutput)
	if runtime.GOOS != "windows" {
		assert.Equal(t, 2, code)
		assert.Contains(t, output, report)
	}
}

// minidumpException is the exception code in a minidump: header, directory, the stream of type 6.
func minidumpException(t *testing.T, file []byte) uint32 {
	t.Helper()
	number := func(offset uint32) uint32 {
		require.LessOrEqual(t, int(offset)+4, len(file))
		return binary.LittleEndian.Uint32(file[offset:])
	}
	require.True(t, bytes.HasPrefix(file, []byte("MDMP")))
	for i := range number(8) {
		if entry := number(12) + 12*i; number(entry) == 6 {
			return number(number(entry+8) + 8)
		}
	}
	require.Fail(t, "no exception stream")
	return 0
}

func TestAPanicInGoLeavesNoFile(t *testing.T) {
	code, output, _, file := crash(t, "panic")
	assert.Nil(t, file)
	assert.Equal(t, 2, code)
	assert.Contains(t, output, "panic: runtime error: invalid memory address or nil pointer dereference")

	for _, way := range []string{"recovered", "nil function"} {
		code, output, _, file := crash(t, way)
		assert.Nil(t, file, way)
		assert.Equal(t, 0, code, "%s: %s", way, output)
		assert.True(t, strings.HasPrefix(output, "recovered"), "%s: %s", way, output)
	}
}

func TestAFolderForCrashFilesThatCannotBe(t *testing.T) {
	core, err := Open(CoreAuto, nil)
	require.NoError(t, err)
	defer func() { assert.NoError(t, core.Close()) }()
	folder := filepath.Join(writeFile(t, "", scratchfolder.New(t), "file"), "folder")
	err = EnableMiniDump(core, folder)
	require.ErrorIs(t, err, ResultMiniDump)
	assert.ErrorContains(t, err, folder)
	assert.ErrorIs(t, EnableMiniDump(core, ""), ResultMiniDump)
	assert.ErrorIs(t, EnableMiniDump(core, "a\x00b"), ResultInvalidArgument)
}

func TestTheCoreInGoHasNoCrashFiles(t *testing.T) {
	core := NewGoCore(zap.NewNop())
	defer func() { assert.NoError(t, core.Close()) }()
	assert.NoError(t, EnableMiniDump(core, filepath.Join(scratchfolder.New(t), "missing", "folder")))
}

//go:build cgo

package bridge

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/scratchfolder"
)

func TestWaitMilliseconds(t *testing.T) {
	for wait, want := range map[time.Duration]int{
		-1:                                 -1,
		math.MinInt64:                      -1,
		0:                                  0,
		1:                                  1,
		time.Millisecond:                   1,
		time.Millisecond + 1:               2,
		math.MaxInt32 * time.Millisecond:   math.MaxInt32,
		math.MaxInt32*time.Millisecond + 1: math.MaxInt32,
		math.MaxInt64 / 2:                  math.MaxInt32,
		math.MaxInt64:                      math.MaxInt32,
		math.MaxInt64 - time.Millisecond/2: math.MaxInt32,
		time.Hour - time.Millisecond/2:     int(time.Hour.Milliseconds()),
	} {
		assert.Equal(t, want, int(waitMilliseconds(wait)), "%d", int64(wait))
	}
}

func requireLibraryError(t *testing.T, path, reason, hint string) {
	t.Helper()
	core, err := Open(path, nil)
	require.Nil(t, core)
	var wrong *LibraryError
	require.ErrorAs(t, err, &wrong)
	for _, part := range []string{path, reason, hint + buildCommand()} {
		assert.ErrorContains(t, err, part)
	}
}

func TestALibraryThatIsNotThere(t *testing.T) {
	path := filepath.Join(scratchfolder.New(t), "missing.so")
	requireLibraryError(t, path, "there is no such file", "; build it with: ")
}

func TestAFileThatIsNoLibrary(t *testing.T) {
	path := writeFile(t, "I am a text.\n", scratchfolder.New(t), libraryName())
	requireLibraryError(t, path, "", "; rebuild it with: ")
}

func TestALibraryThatIsNoCore(t *testing.T) {
	candidates := []string{"/lib64/libc.so.6", "/usr/lib64/libc.so.6", "/usr/lib/libc.so.6",
		"/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6"}
	if runtime.GOOS == "windows" {
		candidates = []string{filepath.Join(os.Getenv("SystemRoot"), "system32", "kernel32.dll")}
	}
	for _, path := range candidates {
		if _, err := os.Stat(path); err == nil {
			requireLibraryError(t, path, "it is no IocpNetLib core: it has no function NetLib_AbiVersion",
				"; rebuild it with: ")
			return
		}
	}
	t.Skip("no library of the system found")
}

func TestACoreWithAnotherVersion(t *testing.T) {
	compiler, err := exec.LookPath("gcc")
	if err != nil || runtime.GOOS != "linux" {
		t.Skip("gcc on Linux makes the library for this test")
	}
	source := "unsigned NetLib_AbiVersion(void) { return 999; }\n"
	for _, name := range []string{"BackendName", "Create", "Destroy", "DefaultConfig", "Start", "GetPort", "Poll",
		"WakePoll", "Submit", "GetStats", "SetLimits", "SetLogLevel", "StopAccepting", "BeginStop", "Stop", "EnableMiniDump"} {
		source += fmt.Sprintf("void NetLib_%s(void) {}\n", name)
	}
	folder := scratchfolder.New(t)
	path := filepath.Join(folder, libraryName())
	output, err := exec.Command(compiler, "-shared", "-fPIC", "-o", path, writeFile(t, source, folder, "core.c")).
		CombinedOutput()
	require.NoError(t, err, "%s", output)
	requireLibraryError(t, path, "the library has ABI version 999, this program needs ", "; rebuild it with: ")
}

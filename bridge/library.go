package bridge

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// LibraryEnv names the native core's library and overrides the search of CoreAuto: for tests and for programs that are
// run where no build folder is near.
const LibraryEnv = "IOCPNETLIB_CORE"

// libraryName is what the build calls the native core on this system.
func libraryName() string {
	if runtime.GOOS == "windows" {
		return "IocpNetLib.dll"
	}
	return "libIocpNetLib.so"
}

// buildCommand is what a user runs to get the library.
func buildCommand() string {
	if runtime.GOOS == "windows" {
		return `powershell -File scripts\build.ps1 build`
	}
	return "scripts/build.sh build"
}

// LibraryError says that the native core could not be loaded.
type LibraryError struct {
	Searched []string // the files that were looked for, in order
	Reason   string   // what was wrong with the last of them
}

func (e *LibraryError) Error() string {
	return fmt.Sprintf("no native core: %s; looked for %s; build it with: %s",
		e.Reason, strings.Join(e.Searched, ", "), buildCommand())
}

// findLibrary looks for the native core: the file that LibraryEnv names; beside the executable; in the build/bin
// folder of the executable's folder or of one above it; the same from the working directory, which is what serves
// "go run" and "go test".
func findLibrary() (string, error) {
	if path := os.Getenv(LibraryEnv); path != "" {
		return path, nil
	}
	var starts []string
	if executable, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(executable))
	}
	if directory, err := os.Getwd(); err == nil {
		starts = append(starts, directory)
	}
	candidates := libraryCandidates(starts)
	for _, candidate := range candidates {
		if info, err := os.Stat(candidate); err == nil && info.Mode().IsRegular() {
			return candidate, nil
		}
	}
	return "", &LibraryError{Searched: candidates, Reason: "there is no such file"}
}

// libraryCandidates lists where findLibrary looks. starts are the executable's folder and the working directory.
func libraryCandidates(starts []string) []string {
	var candidates []string
	seen := map[string]bool{}
	add := func(elements ...string) {
		path := filepath.Join(append(elements, libraryName())...)
		if !seen[path] {
			seen[path] = true
			candidates = append(candidates, path)
		}
	}
	for i, start := range starts {
		if i == 0 {
			add(start)
		}
		// Up to the module's root, and not beyond: a library of another project is not ours to load.
		for folder := start; ; folder = filepath.Dir(folder) {
			if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
				add(folder, "build", "bin")
				break
			}
			if folder == filepath.Dir(folder) {
				break
			}
		}
	}
	return candidates
}

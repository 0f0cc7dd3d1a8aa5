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

// moduleName is the name of this module in its go.mod.
const moduleName = "iocpnetlib"

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
	Hint     string   // what the user can do about it; may be empty
}

func (e *LibraryError) Error() string {
	text := fmt.Sprintf("no native core: %s; looked for %s", e.Reason, strings.Join(e.Searched, ", "))
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// missingLibrary is the error when none of the files is there.
func missingLibrary(searched ...string) *LibraryError {
	return &LibraryError{Searched: searched, Reason: "there is no such file", Hint: "build it with: " + buildCommand()}
}

// wrongLibrary is the error when a file is there and is not the core that this program needs.
func wrongLibrary(path, reason string) *LibraryError {
	return &LibraryError{Searched: []string{path}, Reason: reason, Hint: "rebuild it with: " + buildCommand()}
}

// findLibrary looks for the native core: the file that LibraryEnv names; beside the executable; in the build/bin
// folder of this module, if the executable lies in it; the same from the working directory, which is what serves
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
	return "", missingLibrary(candidates...)
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
		// Up to this module's root, and not beyond. The build folder of another module is not ours to load code from.
		for folder := start; ; folder = filepath.Dir(folder) {
			if isModuleRoot(folder) {
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

// isModuleRoot reports whether folder has the go.mod of this module.
func isModuleRoot(folder string) bool {
	content, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, "//")
		if words := strings.Fields(line); len(words) > 0 && words[0] == "module" {
			return len(words) == 2 && strings.Trim(words[1], "\"`") == moduleName
		}
	}
	return false
}

package bridge

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"iocpnetlib/internal/scratchfolder"
)

func TestLibraryCandidates(t *testing.T) {
	root := scratchfolder.New(t)
	ours, other, foreign := filepath.Join(root, "ours"), filepath.Join(root, "other"), filepath.Join(root, "foreign")
	writeFile(t, "// the server\nmodule iocpnetlib // ours\n\ngo 1.26.0\n", ours, "go.mod")
	writeFile(t, "module \"iocpnetlib\"\n", other, "go.mod")
	writeFile(t, "module example.org/iocpnetlib\n", foreign, "go.mod")
	writeFile(t, "module example.org/vendored\n", ours, "vendored", "go.mod")
	name := libraryName()
	inBuild := func(module string) string { return filepath.Join(module, "build", "bin", name) }

	tests := []struct {
		name   string
		starts []string
		want   []string
	}{
		{"executable and working directory in two copies of the module",
			[]string{filepath.Join(ours, "cmd", "x"), filepath.Join(other, "bridge")},
			[]string{filepath.Join(ours, "cmd", "x", name), inBuild(ours), inBuild(other)}},
		{"both in one copy", []string{ours, filepath.Join(ours, "bridge")},
			[]string{filepath.Join(ours, name), inBuild(ours)}},
		{"an executable in the build folder", []string{filepath.Join(ours, "build", "bin")}, []string{inBuild(ours)}},
		{"an executable elsewhere", []string{root, filepath.Join(ours, "cmd")},
			[]string{filepath.Join(root, name), inBuild(ours)}},
		{"another module", []string{root, foreign}, []string{filepath.Join(root, name)}},
		{"another module within this one", []string{root, filepath.Join(ours, "vendored")},
			[]string{filepath.Join(root, name), inBuild(ours)}},
		{"nowhere", nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, libraryCandidates(test.starts))
		})
	}
}

func TestIsModuleRoot(t *testing.T) {
	for content, want := range map[string]bool{
		"module iocpnetlib\n":               true,
		"module iocpnetlib":                 true,
		"\r\nmodule\t`iocpnetlib` // x\r\n": true,
		"":                                  false,
		"module iocpnetlib2\n":              false,
		"module iocpnetlib/sub\n":           false,
		"// module iocpnetlib\nmodule example.org\n": false,
		"go 1.26.0\n": false,
	} {
		root := scratchfolder.New(t)
		writeFile(t, content, root, "go.mod")
		assert.Equal(t, want, isModuleRoot(root), "%q", content)
	}
	assert.False(t, isModuleRoot(scratchfolder.New(t)))
}

func TestFindLibrary(t *testing.T) {
	executable, err := os.Executable()
	require.NoError(t, err)
	beside := filepath.Join(filepath.Dir(executable), libraryName())

	t.Run("the variable comes first", func(t *testing.T) {
		t.Setenv(LibraryEnv, "somewhere/core")
		path, err := findLibrary()
		require.NoError(t, err)
		assert.Equal(t, "somewhere/core", path)
	})
	t.Run("this module", func(t *testing.T) {
		t.Setenv(LibraryEnv, "")
		root := scratchfolder.New(t)
		writeFile(t, "module iocpnetlib\n", root, "go.mod")
		library := writeFile(t, "", root, "build", "bin", libraryName())
		within := filepath.Dir(writeFile(t, "", root, "cmd", "file"))
		t.Chdir(within)
		path, err := findLibrary()
		require.NoError(t, err)
		assert.Equal(t, library, path)
	})
	t.Run("another module", func(t *testing.T) {
		t.Setenv(LibraryEnv, "")
		root := scratchfolder.New(t)
		writeFile(t, "module example.org/other\n", root, "go.mod")
		writeFile(t, "", root, "build", "bin", libraryName())
		t.Chdir(root)
		_, err := findLibrary()
		var missing *LibraryError
		require.ErrorAs(t, err, &missing)
		assert.Contains(t, missing.Searched, beside)
		assert.NotContains(t, missing.Searched, filepath.Join(root, "build", "bin", libraryName()))
		assert.ErrorContains(t, err, beside)
		assert.ErrorContains(t, err, "there is no such file")
		assert.ErrorContains(t, err, "; build it with: "+buildCommand())
	})
}

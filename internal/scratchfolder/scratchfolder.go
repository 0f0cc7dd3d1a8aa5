// Package scratchfolder makes folders for tests that also run under Wine.
package scratchfolder

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// New makes a folder that is removed at the end of the test, from the inside out with plain removals: t.TempDir uses
// calls that Wine 8 does not know.
func New(t testing.TB) string {
	t.Helper()
	root, err := os.MkdirTemp("", "iocpnetlib-test")
	require.NoError(t, err)
	root, err = filepath.EvalSymlinks(root) // as os.Getwd shows it
	require.NoError(t, err)
	t.Cleanup(func() {
		var paths []string
		assert.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			paths = append(paths, path)
			return err
		}))
		for _, path := range slices.Backward(paths) {
			assert.NoError(t, os.Remove(path))
		}
	})
	return root
}

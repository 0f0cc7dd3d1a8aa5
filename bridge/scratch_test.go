package bridge

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scratchFolder is a folder that is removed at the end of the test, from the inside out with plain removals:
// t.TempDir uses calls that Wine 8 does not know.
func scratchFolder(t *testing.T) string {
	t.Helper()
	root, err := os.MkdirTemp("", "bridge-test")
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

func writeFile(t *testing.T, content string, elements ...string) string {
	t.Helper()
	path := filepath.Join(elements...)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	return path
}

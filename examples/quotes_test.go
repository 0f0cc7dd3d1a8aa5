// Package examples has the programs of docs/write-your-own-server.md. This test keeps the two together.
package examples

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	goBlock   = regexp.MustCompile("(?ms)^```go\n(.*?)^```$")
	firstLine = regexp.MustCompile(`^// (examples/step[0-9]/main\.go)\n`)
)

// What the documents quote is what the programs say.
func TestTheDocumentsQuoteThePrograms(t *testing.T) {
	for _, document := range []string{"write-your-own-server.md", "write-your-own-server.ko.md"} {
		t.Run(document, func(t *testing.T) {
			text, err := os.ReadFile("../docs/" + document)
			require.NoError(t, err)
			quoted := map[string]bool{}
			for _, block := range goBlock.FindAllStringSubmatch(string(text), -1) {
				first := firstLine.FindStringSubmatch(block[1])
				if first == nil {
					continue
				}
				program, err := os.ReadFile("../" + first[1])
				require.NoError(t, err)
				// The end of the block is the end of a line: half a line is no quotation.
				quotation := strings.TrimLeft(strings.TrimPrefix(block[1], first[0]), "\n")
				assert.Contains(t, "\n"+string(program), "\n"+quotation, first[1])
				quoted[first[1]] = true
			}
			assert.Len(t, quoted, 5, "each step is quoted")
		})
	}
}

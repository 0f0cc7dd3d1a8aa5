package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Between these two lines, with the section's name, a document has what this program made.
const (
	markerBegin = "<!-- bench %s -->"
	markerEnd   = "<!-- /bench %s -->"
)

// replaceSection puts body between the markers of a section. Everything else stays as it is.
func replaceSection(document, name, body string) (string, error) {
	begin, end := fmt.Sprintf(markerBegin, name), fmt.Sprintf(markerEnd, name)
	before, rest, found := strings.Cut(document, begin)
	if !found {
		return "", fmt.Errorf("there is no line %s", begin)
	}
	_, after, found := strings.Cut(rest, end)
	if !found {
		return "", fmt.Errorf("there is no line %s behind %s", end, begin)
	}
	return before + begin + "\n\n" + strings.TrimSpace(body) + "\n\n" + end + after, nil
}

// updateDocument replaces the sections of a file. The file is not touched if it lacks one of them.
func updateDocument(path string, sections map[string]string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	document := string(text)
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		if document, err = replaceSection(document, name, sections[name]); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return os.WriteFile(path, []byte(document), 0o644)
}

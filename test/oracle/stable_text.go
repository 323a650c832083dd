package main

import (
	"sort"
	"strings"
)

// stableText sorts parts of a denial whose order in Istio depends on Go's maps: the names of known templates (inject.go
// knownTemplates) and the list of invalid annotations (validate.go validateAnnotations).
func stableText(text string) string {
	if before, names, found := strings.Cut(text, "not found; have "); found {
		list := strings.Split(names, ", ")
		sort.Strings(list)
		return before + "not found; have " + strings.Join(list, ", ")
	}
	before, list, found := strings.Cut(text, "occurred:\n")
	if !found {
		return text
	}
	var items []string
	for _, item := range strings.Split(list, "\n\t* ") {
		if item = strings.Trim(item, "\n\t* "); item != "" {
			items = append(items, item)
		}
	}
	sort.Strings(items)
	return before + "occurred:\n\t* " + strings.Join(items, "\n\t* ") + "\n\n"
}

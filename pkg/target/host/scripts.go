package host

import (
	"embed"
	"fmt"
	"maps"
	"slices"
)

//go:embed scripts/*.sh
var scripts embed.FS

// script returns a script with what all of them begin with.
func script(name string) string { return text("begin") + text(name) }

func text(name string) string {
	raw, err := scripts.ReadFile("scripts/" + name + ".sh")
	if err != nil {
		panic(fmt.Sprintf("script %s is not part of the program: %v", name, err))
	}
	return string(raw)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

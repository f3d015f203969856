package main

import (
	"slices"
	"strings"
)

// registry is what the local cluster's registry is called by its pods. Here it is a name.
const registry = "registry.localhost:5000"

// seeded are the images that the local cluster's registry has from the start.
var seeded = []string{"debian:12", "toolbox:1", "postgres:15", "redis:7", "busybox:1", "static:nonroot"}

// has says whether an image can be had: those of other registries and those by digest are
// taken to be there, of our own registry only those that it has from the start.
func has(image string) bool {
	name, ours := strings.CutPrefix(image, registry+"/")
	return !ours || strings.Contains(name, "@sha256:") || slices.Contains(seeded, name)
}

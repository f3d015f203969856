package service

import (
	"os"
	"runtime/debug"
)

// commit is set by the linker.
var commit string

// Commit is the commit this process was built from: what the environment says in
// VERSION, what the linker was told, what the Go command found, or "unknown".
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return firstOf(os.Getenv("VERSION"), commit, revision(info), "unknown")
}

func revision(info *debug.BuildInfo) string {
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}

func firstOf(candidates ...string) string {
	for _, c := range candidates {
		if c != "" {
			return c
		}
	}
	return ""
}

// Package service is what all processes of the shop have in common: settings from the
// environment, structured logs, a health check of what the process needs, and an
// orderly stop.
package service

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// Process is what a command is given to work with.
type Process struct {
	// Args are the arguments after the command's name.
	Args []string
	// Settings come from the environment.
	Settings *Settings
	// Log writes one JSON object per line.
	Log *slog.Logger
}

// Main runs a command until it is done or the process is told to stop, and exits with
// 1 when it failed.
func Main(name string, run func(context.Context, *Process) error) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	settings := NewSettings(os.LookupEnv)
	log := newLogger(os.Stdout, name, settings.String("LOG_LEVEL", "info"))
	err := run(ctx, &Process{Args: os.Args[1:], Settings: settings, Log: log})
	stop()
	if err != nil {
		log.Error("stopped", "error", fmt.Sprintf("%s: %v", name, err))
		os.Exit(1)
	}
	log.Info("stopped")
}

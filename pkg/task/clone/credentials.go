package clone

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Credentials copies the files of bound credential workspaces to where git and ssh look
// for them, readable by nobody else. Empty paths are workspaces that are not bound.
func Credentials(home, basicAuth, sshDirectory string) error {
	if basicAuth != "" {
		for _, name := range []string{".git-credentials", ".gitconfig"} {
			if err := copyFile(filepath.Join(basicAuth, name), filepath.Join(home, name)); err != nil {
				return fmt.Errorf("use the basic-auth workspace: %w", err)
			}
		}
	}
	if sshDirectory == "" {
		return nil
	}
	entries, err := os.ReadDir(sshDirectory)
	if err != nil {
		return fmt.Errorf("use the ssh-directory workspace: %w", err)
	}
	target := filepath.Join(home, ".ssh")
	if err := os.MkdirAll(target, 0o700); err != nil {
		return fmt.Errorf("use the ssh-directory workspace: %w", err)
	}
	for _, entry := range entries {
		if err := copyFile(filepath.Join(sshDirectory, entry.Name()), filepath.Join(target, entry.Name())); err != nil {
			return fmt.Errorf("use the ssh-directory workspace: %w", err)
		}
	}
	return nil
}

// copyFile skips what is missing and, as in mounted Secrets, what is a directory.
func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) || (err == nil && info.IsDir()) {
		return nil
	}
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, raw, 0o600)
}

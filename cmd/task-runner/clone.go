package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/clone"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
)

func cloneCommand() *cobra.Command {
	t := step.Step{Name: "clone", Texts: []string{"commit", "url", "committer-date"}}
	var o clone.Options
	var basicAuth, sshDirectory, caDirectory, caFile, sparse string
	cmd := &cobra.Command{
		Use:   "clone",
		Short: "Clone one revision of a git repository into the workspace",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Workspace = t.Workspace
			if caDirectory != "" {
				o.CAFile = filepath.Join(caDirectory, caFile)
			}
			if sparse != "" {
				o.Sparse = strings.Split(sparse, ",")
			}
			return t.Run(func(results result.Writer, r *record.Record) error {
				home, err := os.UserHomeDir()
				if err != nil {
					return fmt.Errorf("find the home directory: %w", err)
				}
				if err := clone.Credentials(home, basicAuth, sshDirectory); err != nil {
					return err
				}
				got, err := clone.Run(cmd.Context(), clone.Git{Log: cmd.ErrOrStderr()}, o)
				if err != nil {
					return err
				}
				r.Commit, r.Repository = got.Commit, got.URL
				fmt.Fprintf(cmd.OutOrStdout(), "commit %s of %s, made %s\n", got.Commit, got.URL, got.Committed.UTC().Format(time.RFC3339))
				return results.Texts(map[string]string{
					"commit": got.Commit, "url": got.URL, "committer-date": fmt.Sprint(got.Committed.Unix()),
				})
			})
		},
	}
	t.Flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.URL, "url", "", "address of the repository")
	f.StringVar(&o.Revision, "revision", "", "branch, tag or commit; the default branch when empty")
	f.StringVar(&o.Refspec, "refspec", "", "what to fetch before the revision is checked out")
	f.IntVar(&o.Depth, "depth", 1, "commits of history to fetch; 0 fetches all")
	f.BoolVar(&o.Submodules, "submodules", true, "fetch submodules as well")
	f.BoolVar(&o.SSLVerify, "ssl-verify", true, "check the certificate of the server")
	f.BoolVar(&o.DeleteExisting, "delete-existing", true, "empty the directory first")
	f.StringVar(&o.Subdirectory, "subdirectory", "", "directory below the workspace to clone into")
	f.StringVar(&sparse, "sparse", "", "directories to check out, separated by commas; all when empty")
	f.StringVar(&basicAuth, "basic-auth", "", "directory with .git-credentials and .gitconfig")
	f.StringVar(&sshDirectory, "ssh-directory", "", "directory with keys, known_hosts and config")
	f.StringVar(&caDirectory, "ca-directory", "", "directory with certificates to trust")
	f.StringVar(&caFile, "ca-file", "ca-bundle.crt", "file name in the CA directory")
	return cmd
}

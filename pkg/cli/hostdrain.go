package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func newHostDrain(s *session) *cobra.Command {
	var undo bool
	cmd := &cobra.Command{
		Use:   "drain NAME",
		Short: "Move the services of a machine to others",
		Long: `Move the services of a machine to others, and place no new ones there. A service that
keeps data on the machine does not move: its environment says so, and stays as it is. Services
stop on this machine before they start on another one.`,
		Example:           examples(`spock host drain db1`, `spock host drain db1 --undo`),
		Args:              positional(1, 1, "the NAME of a host"),
		ValidArgsFunction: s.completeHost,
	}
	cmd.Flags().BoolVar(&undo, "undo", false, "let services be placed there again")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		cluster, h, err := s.host(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return s.drainHost(cmd.Context(), cluster, h, !undo)
	})
	return cmd
}

func (s *session) drainHost(ctx context.Context, cluster *Cluster, h *v1alpha1.Host, drain bool) error {
	where := h.Namespace + "/" + h.Name
	patch := fmt.Appendf(nil, `{"spec":{"drain":%t}}`, drain)
	if _, err := cluster.Spock.SpockV1alpha1().Hosts(h.Namespace).Patch(ctx, h.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: fieldManager}); err != nil {
		return explain(fmt.Errorf("change host %s: %w", where, err))
	}
	switch n := len(h.Status.Allocations); {
	case !drain:
		fmt.Fprintf(s.Streams.Out, "host %s takes services again\n", where)
	case n == 0:
		fmt.Fprintf(s.Streams.Out, "host %s is drained: nothing runs there\n", where)
	default:
		fmt.Fprintf(s.Streams.Out, "host %s is being drained of %d services; see what is left with: spock host show %s\n", where, n, h.Name)
	}
	return nil
}

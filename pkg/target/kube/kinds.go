package kube

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/target"
)

// usual are the kinds watched from the start, so that what an environment owns is
// known after a restart before any plan is.
var usual = map[schema.GroupVersionKind]schema.GroupVersionResource{
	{Group: "apps", Version: "v1", Kind: "Deployment"}:           {Group: "apps", Version: "v1", Resource: "deployments"},
	{Group: "apps", Version: "v1", Kind: "StatefulSet"}:          {Group: "apps", Version: "v1", Resource: "statefulsets"},
	{Group: "apps", Version: "v1", Kind: "DaemonSet"}:            {Group: "apps", Version: "v1", Resource: "daemonsets"},
	{Group: "batch", Version: "v1", Kind: "Job"}:                 {Group: "batch", Version: "v1", Resource: "jobs"},
	{Version: "v1", Kind: "Service"}:                             {Version: "v1", Resource: "services"},
	{Version: "v1", Kind: "ConfigMap"}:                           {Version: "v1", Resource: "configmaps"},
	{Version: "v1", Kind: "PersistentVolumeClaim"}:               {Version: "v1", Resource: "persistentvolumeclaims"},
	{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress"}: {Group: "networking.k8s.io", Version: "v1", Resource: "ingresses"},
}

// Usual returns the kinds that Spock makes itself, sorted: those that an earlier plan
// may have written though the present one does not.
func Usual() []schema.GroupVersionKind {
	return slices.SortedFunc(maps.Keys(usual), func(a, b schema.GroupVersionKind) int { return strings.Compare(a.String(), b.String()) })
}

// mapping finds the resource of a kind. One that is not known is looked up anew, since
// it may have been installed after the last look.
func (t *Target) mapping(kind schema.GroupVersionKind) (*meta.RESTMapping, error) {
	found, err := t.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		t.mapper.Reset()
		found, err = t.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	switch {
	case meta.IsNoMatchError(err):
		return nil, &target.KindError{Kind: kind, Err: fmt.Errorf("the cluster does not know the kind: %w", err)}
	case err != nil:
		return nil, fmt.Errorf("find the resource of kind %s: %w", kind.Kind, err)
	}
	return found, nil
}

// unwatchable says that a watch was refused for a reason that lies in its kind: the
// apiserver answered, and did not ask to try again.
func unwatchable(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	later := apierrors.IsTooManyRequests(err) || apierrors.IsServerTimeout(err) || apierrors.IsTimeout(err) ||
		apierrors.IsServiceUnavailable(err) || apierrors.IsResourceExpired(err) || apierrors.IsGone(err)
	return !later
}

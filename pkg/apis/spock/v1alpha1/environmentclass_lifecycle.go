package v1alpha1

import "cmp"

// HostsOf is the namespace of the Hosts that an environment of the class in a namespace uses.
func (c *EnvironmentClass) HostsOf(namespace string) string {
	return cmp.Or(c.Spec.HostNamespace, namespace)
}

package health

import (
	"fmt"
	"regexp"
	"strings"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

var accessSays = regexp.MustCompile(`User "([^"]+)" cannot (\S+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)"| at the cluster scope)?`)

// accessDenial is RBAC's answer: who may not do what, and which rule would allow it.
func accessDenial(message string) *v1alpha1.Cause {
	said := accessSays.FindStringSubmatch(message)
	if said == nil {
		return nil
	}
	user, verb, resource, group, namespace := said[1], said[2], said[3], said[4], said[5]
	where := "in namespace " + namespace
	if namespace == "" {
		where = "at cluster scope"
	}
	thing := resource
	if group != "" {
		thing += "." + group
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseForbidden,
		Message: fmt.Sprintf("%s may not %s %s %s", account(user), verb, thing, where),
		Hint:    accessHint(user, verb, resource, group, namespace)}
}

// account turns a user name of the API into words.
func account(user string) string {
	if name, isAccount := strings.CutPrefix(user, "system:serviceaccount:"); isAccount {
		return "service account " + strings.Replace(name, ":", "/", 1)
	}
	return "user " + user
}

// accessHint spells out the rule that is missing. Server-side apply needs create and
// patch together, so both are asked for at once.
func accessHint(user, verb, resource, group, namespace string) string {
	if verb == "impersonate" {
		return "allow Spock's controller to impersonate service accounts: apply its ClusterRole again as it was installed"
	}
	verbs := verb
	if verb == "create" || verb == "patch" {
		verbs = "create, patch"
	}
	bind := "a ClusterRole bound to it"
	if namespace != "" {
		bind = "a Role bound to it in namespace " + namespace + ", or the deployer role of the environment's class"
	}
	return fmt.Sprintf("give %s the rule apiGroups: [%q], resources: [%s], verbs: [%s] by %s", account(user), group, resource, verbs, bind)
}

package health

import (
	"fmt"
	"regexp"
	"strings"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// forbidden reads a "forbidden" answer: a quota, a policy, or a missing right.
func forbidden(message string) *v1alpha1.Cause {
	if strings.Contains(message, "because it is being terminated") || strings.Contains(message, "status unknown for quota") {
		return nil
	}
	if cause := denial(message); cause != nil {
		return cause
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseForbidden, Message: "the cluster forbids it: " + reasonOf(message),
		Hint: "ask who runs the cluster to allow it for the environment's service account"}
}

// denial recognises the answers that stay the same however often one asks, also as
// they are quoted in a condition; nil for anything else.
func denial(message string) *v1alpha1.Cause {
	for _, recognise := range []func(string) *v1alpha1.Cause{policyDenial, quotaDenial, rangeDenial, podSecurityDenial, accessDenial} {
		if cause := recognise(message); cause != nil {
			return cause
		}
	}
	return nil
}

var (
	webhookSays = regexp.MustCompile(`admission webhook "([^"]+)" denied the request(?::\s*|\s+)?(.*)`)
	policySays  = regexp.MustCompile(`(?:ValidatingAdmissionPolicy|policy) ['"]([^'"]+)['"](?: with binding ['"][^'"]+['"])? denied request: (.*)`)
)

// policyDenial is the verdict of a rule that the cluster's owners installed.
func policyDenial(message string) *v1alpha1.Cause {
	flat := strings.Join(strings.Fields(message), " ")
	who, said := "admission webhook ", webhookSays.FindStringSubmatch(flat)
	if said == nil {
		who, said = "admission policy ", policySays.FindStringSubmatch(flat)
	}
	if said == nil {
		return nil
	}
	why := oneLine(said[2], 240)
	if why == "" || why == "without explanation" {
		why = "it gives no reason"
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseRefused, Message: who + said[1] + " refuses it: " + why,
		Hint: "change the template so that it follows the rule, or ask who runs the cluster about " + said[1]}
}

var (
	quotaExceeded = regexp.MustCompile(`exceeded quota: ([^,]+), requested: (.+), used: (.+), limited: ([^\s]+)`)
	quotaUnset    = regexp.MustCompile(`failed quota: ([^:]+): (.*)`)
)

// quotaDenial says which quota is used up, with the numbers.
func quotaDenial(message string) *v1alpha1.Cause {
	if said := quotaExceeded.FindStringSubmatch(message); said != nil {
		return &v1alpha1.Cause{Class: v1alpha1.CauseQuota, Message: fmt.Sprintf("quota %s is used up: %s", said[1], quotaNumbers(said[2], said[3], said[4])),
			Hint: "ask for less, run fewer services, or raise the quota of the environment's class"}
	}
	if said := quotaUnset.FindStringSubmatch(message); said != nil {
		return &v1alpha1.Cause{Class: v1alpha1.CauseQuota, Message: fmt.Sprintf("quota %s counts resources that the service does not state: %s", said[1], oneLine(said[2], 200)),
			Hint: "set resources in the template, or default requests and limits in the environment's class"}
	}
	return nil
}

// quotaNumbers joins the three lists resource by resource.
func quotaNumbers(requested, used, limited string) string {
	taken, limits := amounts(used), amounts(limited)
	var parts []string
	for _, entry := range strings.Split(requested, ",") {
		name, amount, _ := strings.Cut(strings.TrimSpace(entry), "=")
		parts = append(parts, fmt.Sprintf("%s asked for %s, %s of %s are taken", name, amount, taken[name], limits[name]))
	}
	return strings.Join(parts, "; ")
}

func amounts(entries string) map[string]string {
	byName := map[string]string{}
	for _, entry := range strings.Split(entries, ",") {
		name, amount, _ := strings.Cut(strings.TrimSpace(entry), "=")
		byName[name] = amount
	}
	return byName
}

// rangeDenial is a LimitRange's "maximum cpu usage per Container is 2, but ...".
func rangeDenial(message string) *v1alpha1.Cause {
	if !strings.Contains(message, "usage per ") && !strings.Contains(message, "limit to request ratio per ") {
		return nil
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseQuota, Message: "the limits of the namespace do not allow it: " + strings.Trim(reasonOf(message), "[]"),
		Hint: "change the resources in the template so that they fit the limits of the environment's class"}
}

var podSecuritySays = regexp.MustCompile(`violates PodSecurity "([^"]+)": (.*)`)

func podSecurityDenial(message string) *v1alpha1.Cause {
	said := podSecuritySays.FindStringSubmatch(message)
	if said == nil {
		return nil
	}
	return &v1alpha1.Cause{Class: v1alpha1.CauseRefused, Message: fmt.Sprintf("the namespace enforces pod security %s: %s", said[1], oneLine(said[2], 240)),
		Hint: "set the security context that the message asks for in the template's manifests"}
}

// reasonOf is what follows "is forbidden:".
func reasonOf(message string) string {
	if _, reason, found := strings.Cut(message, "is forbidden: "); found {
		message = reason
	}
	return oneLine(message, 240)
}

package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// The longest names. A service's name is part of the names of its objects, so it is
// shorter than Kubernetes alone would have it.
const (
	maxService = 40
	maxLabel   = validation.DNS1123LabelMaxLength
	maxHost    = validation.DNS1123SubdomainMaxLength
)

// checkServiceName refuses a name that cannot be a DNS name in the environment.
func checkServiceName(field, name string, p *problems) {
	if over := len(name) - maxService; over > 0 {
		p.add(field, "shorten it", "the service name is %d characters long, %d more than the %d that fit into the names of its objects",
			len(name), over, maxService)
		return
	}
	if len(validation.IsDNS1035Label(name)) > 0 {
		p.add(field, "use lower case letters, digits and '-', a letter first and no '-' at the end", "the service name %q is not a DNS label", name)
	}
}

// checkEnvironmentNames refuses names of the environment and product that do not fit
// into the namespace or the labels made of them.
func (in Input) checkEnvironmentNames(p *problems) {
	tooLong(p, "environment.metadata.name", in.Environment.Name, maxLabel, "label spock.dev/environment")
	tooLong(p, "product.metadata.name", in.Product.Name, maxLabel, "label app.kubernetes.io/part-of")
	field := fmt.Sprintf("environment.metadata.name (%s)", in.Environment.Name)
	switch over := len(in.Namespace) - maxLabel; {
	case over > 0:
		p.add(field, "shorten the name of the environment", "its namespace %q is %d characters long, %d more than the %d a namespace may have",
			in.Namespace, len(in.Namespace), over, maxLabel)
	case len(validation.IsDNS1123Label(in.Namespace)) > 0:
		p.add(field, "use lower case letters, digits and '-' in the name of the environment", "its namespace %q is not a DNS label", in.Namespace)
	}
}

func tooLong(p *problems, field, name string, most int, what string) {
	if over := len(name) - most; over > 0 {
		p.add(field, "shorten it", "it is %d characters long, %d more than the %d of the %s", len(name), over, most, what)
	}
}

// host is the public name of an exposed service, without the port of the domain.
func (in Input) host(service string) string {
	domain, _, _ := strings.Cut(in.Class.Spec.Domain, ":")
	return service + "." + in.Environment.Name + "." + domain
}

func (in Input) url(service string) string {
	return "http://" + service + "." + in.Environment.Name + "." + in.Class.Spec.Domain
}

// checkHost refuses a public name that DNS cannot hold.
func (in Input) checkHost(field, service string, p *problems) {
	host := in.host(service)
	if over := len(host) - maxHost; over > 0 {
		p.add(field, "shorten the service, the environment or the domain of the class",
			"its host %q is %d characters long, %d more than the %d a host may have", host, len(host), over, maxHost)
		return
	}
	for _, label := range strings.Split(host, ".") {
		if over := len(label) - maxLabel; over > 0 {
			p.add(field, "shorten that part", "the part %q of its host is %d characters long, %d more than the %d it may have",
				label, len(label), over, maxLabel)
		}
	}
	if in.Class.Spec.Domain == "" {
		p.add("class.spec.domain", "set it", "it is empty, so %q cannot be exposed", service)
	}
}

// named returns base-hash, with base cut such that the whole is a DNS label.
func named(base, hash string) string {
	most := maxLabel - len(hash) - 1
	if len(base) > most {
		base = strings.TrimRight(base[:most], "-")
	}
	return base + "-" + hash
}

// hash8 is short and follows the content.
func hash8(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:4])
}

package v1alpha1

import (
	"cmp"
	"net"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

// What a Host's absent fields stand for, and the keys of its Secret.
const (
	HostUser           = "root"
	HostServiceAccount = "spock-hosts"
	HostPort           = 22
	HostSecretKey      = "ssh-privatekey"
	HostSecretCert     = "ssh-certificate"
)

// Reasons of the Ready condition of a Host, beside the classes of failures.
const (
	// ReasonConnecting: the first connection is being made.
	ReasonConnecting = "Connecting"
	// ReasonReachable: the machine is connected, and fit to run services.
	ReasonReachable = "Reachable"
	// ReasonDeleting: the Host is deleted, and goes when its services have gone.
	ReasonDeleting = "Deleting"
	// ReasonNoCredentials: the Secret cannot be read, or does not hold what it should.
	ReasonNoCredentials = "NoCredentials"
)

var hostConditions = apis.NewLivingConditionSet()

// GetConditionSet returns the conditions of a Host: Ready alone.
func (*Host) GetConditionSet() apis.ConditionSet { return hostConditions }

// GetStatus returns the part of the status that all Knative-style kinds share.
func (h *Host) GetStatus() *duckv1.Status { return &h.Status.Status }

// GetGroupVersionKind returns the kind.
func (*Host) GetGroupVersionKind() schema.GroupVersionKind {
	return SchemeGroupVersion.WithKind("Host")
}

// SSHAddress is the address of the SSH server, with its port.
func (s *HostSpec) SSHAddress() string {
	address := strings.Trim(s.Address, "[]")
	return net.JoinHostPort(address, strconv.Itoa(int(cmp.Or(s.Port, HostPort))))
}

// Login is the user to log in as.
func (s *HostSpec) Login() string { return cmp.Or(s.User, HostUser) }

// Reader is the service account as which the Secret is read.
func (c *HostCredentials) Reader() string { return cmp.Or(c.ServiceAccountName, HostServiceAccount) }

// MarkConnecting sets Ready to Unknown.
func (h *Host) MarkConnecting() {
	hostConditions.Manage(&h.Status).MarkUnknown(apis.ConditionReady, ReasonConnecting, "connecting to %s", h.Spec.SSHAddress())
}

// MarkReachable sets Ready to True.
func (h *Host) MarkReachable() {
	hostConditions.Manage(&h.Status).MarkTrueWithReason(apis.ConditionReady, ReasonReachable, "connected, %s", h.Spec.SSHAddress())
}

// MarkUnreachable sets Ready to False with a sentence.
func (h *Host) MarkUnreachable(reason, message string) {
	hostConditions.Manage(&h.Status).MarkFalse(apis.ConditionReady, reason, "%s", message)
}

// MarkDeleting sets Ready to False with a sentence, until what runs there has gone.
func (h *Host) MarkDeleting(message string) {
	hostConditions.Manage(&h.Status).MarkFalse(apis.ConditionReady, ReasonDeleting, "%s", message)
}

package health

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// reporting is what a kind tells about itself.
type reporting int

const (
	// silent kinds have no status, or none that anything waits for.
	silent reporting = iota
	// speaking kinds have a status, which may lack a generation.
	speaking
	// dated kinds always say which generation their status is of.
	dated
)

// kind is how objects of a kind are judged.
type kind struct {
	reporting reporting
	judge     func(*unstructured.Unstructured) Verdict
}

// of judges an object that is settled otherwise.
func (k kind) of(obj *unstructured.Unstructured) Verdict {
	if k.reporting != silent && !hasStatus(obj) {
		return progressing("the cluster has not looked at %s yet", title(obj))
	}
	_, reported := integer(obj, "status", "observedGeneration")
	if k.reporting == dated && !reported {
		return progressing("the cluster has not looked at %s yet", title(obj))
	}
	return k.judge(obj)
}

// kinds are the kinds that Kubernetes has, or that nothing needs to be said about.
// They go by group and kind: a Service of another group is another thing.
var kinds = map[schema.GroupKind]kind{
	{Group: "apps", Kind: "Deployment"}:                               {dated, deployment},
	{Group: "apps", Kind: "StatefulSet"}:                              {dated, statefulSet},
	{Group: "apps", Kind: "DaemonSet"}:                                {dated, daemonSet},
	{Group: "batch", Kind: "Job"}:                                     {speaking, job},
	{Group: "batch", Kind: "CronJob"}:                                 {silent, cronJob},
	{Group: "", Kind: "Pod"}:                                          {speaking, barePod},
	{Group: "", Kind: "PersistentVolumeClaim"}:                        {speaking, volumeClaim},
	{Group: "", Kind: "Service"}:                                      {silent, service},
	{Group: "networking.k8s.io", Kind: "Ingress"}:                     {silent, ingress},
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}:           {speaking, autoscaler},
	{Group: "policy", Kind: "PodDisruptionBudget"}:                    {dated, disruptionBudget},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: {speaking, resourceDefinition},
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:             {speaking, apiService},

	{Group: "spock.dev", Kind: v1alpha1.KindHostService}: {speaking, hostService},

	{Group: "", Kind: "ConfigMap"}:                                                  {silent, inForce},
	{Group: "", Kind: "Secret"}:                                                     {silent, inForce},
	{Group: "", Kind: "ServiceAccount"}:                                             {silent, inForce},
	{Group: "", Kind: "Endpoints"}:                                                  {silent, inForce},
	{Group: "", Kind: "LimitRange"}:                                                 {silent, inForce},
	{Group: "", Kind: "ResourceQuota"}:                                              {silent, inForce},
	{Group: "", Kind: "PodTemplate"}:                                                {silent, inForce},
	{Group: "apps", Kind: "ControllerRevision"}:                                     {silent, inForce},
	{Group: "discovery.k8s.io", Kind: "EndpointSlice"}:                              {silent, inForce},
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:                             {silent, inForce},
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                              {silent, inForce},
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:                              {silent, inForce},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:                       {silent, inForce},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                       {silent, inForce},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                {silent, inForce},
	{Group: "coordination.k8s.io", Kind: "Lease"}:                                   {silent, inForce},
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                             {silent, inForce},
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                 {silent, inForce},
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                                    {silent, inForce},
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:   {silent, inForce},
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}: {silent, inForce},
}

// inForce judges a kind that is all it can be once it is written.
func inForce(*unstructured.Unstructured) Verdict { return ready("in force") }

package health_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

var (
	deployments = schema.GroupResource{Group: "apps", Resource: "deployments"}
	podsOf      = schema.GroupResource{Resource: "pods"}
	webKind     = schema.GroupKind{Group: "apps", Kind: "Deployment"}
)

func forbidden(resource schema.GroupResource, name, why string) error {
	return apierrors.NewForbidden(resource, name, errors.New(why))
}

func invalid(kind schema.GroupKind, name string, problems ...*field.Error) error {
	return apierrors.NewInvalid(kind, name, problems)
}

func answered(code int32, reason metav1.StatusReason, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: code, Reason: reason, Message: message}}
}

type refusal struct {
	err   error
	class v1alpha1.CauseClass
	says  string
	hint  string
}

func checkRefusals(t *testing.T, table map[string]refusal) {
	t.Helper()
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := health.Refusal(fmt.Errorf("applying Deployment web: %w", row.err))
			checkCause(t, got, row.class)
			if got == nil {
				return
			}
			if diff := cmp.Diff(row.says, got.Message); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
			if row.hint != "" {
				if diff := cmp.Diff(row.hint, got.Hint); diff != "" {
					t.Errorf("hint (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestRefusalsOfAccess(t *testing.T) {
	t.Parallel()
	checkRefusals(t, map[string]refusal{
		"the service account lacks a right": {
			err:   forbidden(deployments, "web", `User "system:serviceaccount:team-a:deployer" cannot patch resource "deployments" in API group "apps" in the namespace "team-a-shop"`),
			class: v1alpha1.CauseForbidden,
			says:  "service account team-a/deployer may not patch deployments.apps in namespace team-a-shop",
			hint:  `give service account team-a/deployer the rule apiGroups: ["apps"], resources: [deployments], verbs: [create, patch] by a Role bound to it in namespace team-a-shop, or the deployer role of the environment's class`,
		},
		"a person lacks a right at cluster scope": {
			err:   forbidden(schema.GroupResource{Resource: "namespaces"}, "x", `User "jane" cannot delete resource "namespaces" in API group "" at the cluster scope`),
			class: v1alpha1.CauseForbidden,
			says:  "user jane may not delete namespaces at cluster scope",
			hint:  `give user jane the rule apiGroups: [""], resources: [namespaces], verbs: [delete] by a ClusterRole bound to it`,
		},
		"the controller may not impersonate": {
			err:   forbidden(schema.GroupResource{Resource: "serviceaccounts"}, "deployer", `User "system:serviceaccount:spock-system:spock-controller" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "team-a"`),
			class: v1alpha1.CauseForbidden,
			says:  "service account spock-system/spock-controller may not impersonate serviceaccounts in namespace team-a",
			hint:  "allow Spock's controller to impersonate service accounts: apply its ClusterRole again as it was installed",
		},
		"forbidden for a reason of its own": {
			err:   forbidden(podsOf, "web", "no new things on Fridays"),
			class: v1alpha1.CauseForbidden, says: "the cluster forbids it: no new things on Fridays",
		},
	})
}

func TestRefusalsOfQuotaAndPolicy(t *testing.T) {
	t.Parallel()
	checkRefusals(t, map[string]refusal{
		"a quota is used up": {
			err:   forbidden(podsOf, "web", "exceeded quota: spock, requested: limits.memory=2Gi,requests.cpu=1, used: limits.memory=7Gi,requests.cpu=3500m, limited: limits.memory=8Gi,requests.cpu=4"),
			class: v1alpha1.CauseQuota,
			says:  "quota spock is used up: limits.memory asked for 2Gi, 7Gi of 8Gi are taken; requests.cpu asked for 1, 3500m of 4 are taken",
		},
		"a quota wants resources to be said": {
			err:   forbidden(podsOf, "web", "failed quota: spock: must specify limits.cpu for: web; requests.cpu for: web"),
			class: v1alpha1.CauseQuota, says: "quota spock counts resources that the service does not state: must specify limits.cpu for: web; requests.cpu for: web",
		},
		"a quota that is not counted yet": {
			err: forbidden(podsOf, "web", "status unknown for quota: spock, resources: requests.cpu"),
		},
		"a limit range": {
			err:   forbidden(podsOf, "web", "[maximum cpu usage per Container is 2, but limit is 4]"),
			class: v1alpha1.CauseQuota, says: "the limits of the namespace do not allow it: maximum cpu usage per Container is 2, but limit is 4",
		},
		"a webhook": {
			err:   answered(403, metav1.StatusReasonForbidden, `admission webhook "validate.policy.example.com" denied the request: image tag latest is not allowed`),
			class: v1alpha1.CauseRefused, says: "admission webhook validate.policy.example.com refuses it: image tag latest is not allowed",
		},
		"a webhook that says bad request": {
			err:   answered(400, metav1.StatusReasonBadRequest, "admission webhook \"validate.policy.example.com\" denied the request: \nrule a:\n  failed"),
			class: v1alpha1.CauseRefused, says: "admission webhook validate.policy.example.com refuses it: rule a: failed",
		},
		"a webhook without words": {
			err:   answered(400, "", `admission webhook "validate.policy.example.com" denied the request without explanation`),
			class: v1alpha1.CauseRefused, says: "admission webhook validate.policy.example.com refuses it: it gives no reason",
		},
		"an admission policy": {
			err:   answered(422, metav1.StatusReasonInvalid, `deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'replicas' with binding 'replicas-dev' denied request: at most 5 replicas`),
			class: v1alpha1.CauseRefused, says: "admission policy replicas refuses it: at most 5 replicas",
		},
	})
}

func TestRefusalsOfTheObject(t *testing.T) {
	t.Parallel()
	selector := field.NewPath("spec", "selector")
	checkRefusals(t, map[string]refusal{
		"a field cannot change": {
			err:   invalid(webKind, "web", field.Invalid(selector, "x", "field is immutable")),
			class: v1alpha1.CauseImmutable, says: "spec.selector of Deployment web cannot change once it exists",
			hint: "delete Deployment web and deploy again, or set the field back to what it was",
		},
		"a field of a stateful set cannot change": {
			err:   invalid(schema.GroupKind{Group: "apps", Kind: "StatefulSet"}, "db", field.Forbidden(field.NewPath("spec"), "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")),
			class: v1alpha1.CauseImmutable,
			says:  "spec of StatefulSet db cannot change once it exists: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
		},
		"a claim cannot change": {
			err:   invalid(schema.GroupKind{Kind: "PersistentVolumeClaim"}, "data", field.Forbidden(field.NewPath("spec"), "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ -1,12 +1,12 @@\n {\n-  \"ReadWriteOnce\"\n")),
			class: v1alpha1.CauseImmutable, says: "spec of PersistentVolumeClaim data cannot change once it exists: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
		},
		"a claim cannot shrink": {
			err:   invalid(schema.GroupKind{Kind: "PersistentVolumeClaim"}, "data", field.Forbidden(field.NewPath("spec", "resources", "requests", "storage"), "field can not be less than previous value")),
			class: v1alpha1.CauseImmutable, says: "spec.resources.requests.storage of PersistentVolumeClaim data cannot change once it exists",
		},
		"values are wrong": {
			err: invalid(webKind, "web",
				field.Required(field.NewPath("spec", "template", "spec", "containers").Index(0).Child("image"), ""),
				field.Invalid(field.NewPath("spec", "replicas"), -1, "must be greater than or equal to 0")),
			class: v1alpha1.CauseConfig,
			says:  "Deployment web is invalid: spec.template.spec.containers[0].image: Required value; spec.replicas: Invalid value: -1: must be greater than or equal to 0",
		},
		"a server that lists no causes": {
			err:   answered(422, metav1.StatusReasonInvalid, `Topic.example.com "orders" is invalid: spec: retention is too long`),
			class: v1alpha1.CauseConfig, says: "the object is invalid: spec: retention is too long",
		},
		"a field that the kind does not have": {
			err:   answered(500, "", "failed to create typed patch object (team-a-shop/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[0].img: field not declared in schema"),
			class: v1alpha1.CauseConfig, says: "the object does not have the form of its kind: .spec.template.spec.containers[0].img: field not declared in schema",
		},
		"a value of the wrong type": {
			err:   apierrors.NewBadRequest(`strict decoding error: unknown field "spec.foo"`),
			class: v1alpha1.CauseConfig, says: `the object does not have the form of its kind: strict decoding error: unknown field "spec.foo"`,
		},
		"a kind that the cluster does not have": {
			err:   &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "example.com", Kind: "Topic"}, SearchedVersions: []string{"v1"}},
			class: v1alpha1.CauseConfig, says: `the cluster does not know the kind: no matches for kind "Topic" in version "example.com/v1"`,
		},
		"an object that is too large": {
			err:   apierrors.NewRequestEntityTooLargeError("limit is 3145728"),
			class: v1alpha1.CauseConfig, says: "the object is larger than the cluster accepts: Request entity too large: limit is 3145728",
		},
		"an object that exists": {
			err:   apierrors.NewAlreadyExists(deployments, "web"),
			class: v1alpha1.CauseConflict, says: `the object exists already: deployments.apps "web" already exists`,
		},
	})
}

func TestRefusalsOfOwnership(t *testing.T) {
	t.Parallel()
	conflict := func(manager, path string) metav1.StatusCause {
		return metav1.StatusCause{Type: metav1.CauseTypeFieldManagerConflict, Message: "conflict with " + manager, Field: path}
	}
	checkRefusals(t, map[string]refusal{
		"another manager owns a field": {
			err:   apierrors.NewApplyConflict([]metav1.StatusCause{conflict(`"kubectl" using apps/v1`, ".spec.replicas")}, "Apply failed with 1 conflict"),
			class: v1alpha1.CauseConflict, says: `field .spec.replicas is owned by "kubectl" using apps/v1, and Spock does not take over what another owner set`,
		},
		"two managers own many fields": {
			err: apierrors.NewApplyConflict([]metav1.StatusCause{
				conflict(`"helm"`, ".a"), conflict(`"helm"`, ".b"), conflict(`"hpa"`, ".c"), conflict(`"helm"`, ".d"), conflict(`"helm"`, ".e"), conflict(`"helm"`, ".f"), conflict(`"helm"`, ".g"),
			}, "Apply failed with 7 conflicts"),
			class: v1alpha1.CauseConflict, says: `fields .a, .b, .c, .d, .e and 2 more are owned by "helm" and "hpa", and Spock does not take over what another owner set`,
		},
	})
}

func TestTransientAnswersAreNoRefusals(t *testing.T) {
	t.Parallel()
	terminating := &apierrors.StatusError{ErrStatus: metav1.Status{Code: 403, Reason: metav1.StatusReasonForbidden,
		Message: `deployments.apps "web" is forbidden: unable to create new content in namespace team-a-shop because it is being terminated`,
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}}}}
	checkRefusals(t, map[string]refusal{
		"the namespace is not there yet":        {err: apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "team-a-shop")},
		"the namespace is going away":           {err: terminating},
		"somebody else wrote first":             {err: apierrors.NewConflict(deployments, "web", errors.New("the object has been modified"))},
		"too many requests":                     {err: apierrors.NewTooManyRequests("slow down", 1)},
		"the server has an internal error":      {err: apierrors.NewInternalError(errors.New("etcdserver: leader changed"))},
		"a webhook does not answer":             {err: apierrors.NewInternalError(errors.New(`failed calling webhook "x.example.com": connection refused`))},
		"the server is not available":           {err: apierrors.NewServiceUnavailable("starting")},
		"the server took too long":              {err: apierrors.NewTimeoutError("timed out", 1)},
		"the server took too long to try again": {err: apierrors.NewServerTimeout(deployments, "patch", 1)},
		"the request was given up":              {err: context.DeadlineExceeded},
		"the connection broke":                  {err: errors.New("read tcp 192.0.2.1:6443: connection reset by peer")},
		"the credentials are being renewed":     {err: apierrors.NewUnauthorized("token expired")},
		"the quota's numbers are not there yet": {err: forbidden(podsOf, "web", "status unknown for quota: spock, resources: pods")},
	})
	if got := health.Refusal(nil); got != nil {
		t.Errorf("no error gives %v", got)
	}
}

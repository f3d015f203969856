package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

// Reasons of the Ready condition of an Environment, beside the cause classes.
const (
	// ReasonProgressing: services are on their way.
	ReasonProgressing = "Progressing"
	// ReasonReady: all services are ready.
	ReasonReady = "Ready"
	// ReasonInvalid: the spec, product, class or a template is wrong; nothing was written.
	ReasonInvalid = "InvalidSpec"
	// ReasonFetching: files of manifests are on their way from a registry.
	ReasonFetching = "FetchingSource"
	// Why files of manifests could not be had from a registry; it is asked again.
	ReasonSourceUnreachable  = "SourceUnreachable"
	ReasonSourceNotFound     = "SourceNotFound"
	ReasonSourceUnauthorized = "SourceUnauthorized"
	ReasonSourceCorrupt      = "SourceCorrupt"
	ReasonSourceTooLarge     = "SourceTooLarge"
	ReasonSourceUnusable     = "SourceUnusable"
	// ReasonFailed: a service failed.
	ReasonFailed = "ServiceFailed"
	// ReasonRolledBack: a service failed, and what ran before runs again.
	ReasonRolledBack = "RolledBack"
	// ReasonSuspended: spec.suspend stops the engine.
	ReasonSuspended = "Suspended"
	// ReasonTerminating: the environment is being torn down.
	ReasonTerminating = "Terminating"
)

// ConditionDrifted is on an Environment while objects of it are not as Spock wrote them.
const ConditionDrifted apis.ConditionType = "Drifted"

// Reasons of the condition Drifted, and of events about it.
const (
	// ReasonDrifted: somebody changed or deleted objects, and they stay so.
	ReasonDrifted = "Drifted"
	// ReasonDriftHealed: what somebody changed or deleted is as it was.
	ReasonDriftHealed = "DriftHealed"
	// ReasonRollingBack: a failure is being rolled back.
	ReasonRollingBack = "RollingBack"
)

var environmentConditions = apis.NewLivingConditionSet()

// GetConditionSet returns the conditions of an Environment: Ready alone.
func (*Environment) GetConditionSet() apis.ConditionSet { return environmentConditions }

// GetStatus returns the part of the status that all Knative-style kinds share.
func (e *Environment) GetStatus() *duckv1.Status { return &e.Status.Status }

// GetGroupVersionKind returns the kind.
func (*Environment) GetGroupVersionKind() schema.GroupVersionKind {
	return SchemeGroupVersion.WithKind("Environment")
}

// MarkPending sets Ready to Unknown while there is no plan yet.
func (e *Environment) MarkPending(reason, message string) {
	e.mark(PhasePending, message)
	environmentConditions.Manage(&e.Status).MarkUnknown(apis.ConditionReady, reason, "%s", message)
}

// MarkProgressing sets Ready to Unknown with a sentence.
func (e *Environment) MarkProgressing(message string) {
	e.mark(PhaseProgressing, message)
	environmentConditions.Manage(&e.Status).MarkUnknown(apis.ConditionReady, ReasonProgressing, "%s", message)
}

// MarkReady sets Ready to True.
func (e *Environment) MarkReady(message string) {
	e.mark(PhaseReady, message)
	environmentConditions.Manage(&e.Status).MarkTrueWithReason(apis.ConditionReady, ReasonReady, "%s", message)
}

// MarkFailed sets Ready to False.
func (e *Environment) MarkFailed(reason, message string) {
	e.mark(PhaseFailed, message)
	environmentConditions.Manage(&e.Status).MarkFalse(apis.ConditionReady, reason, "%s", message)
}

// MarkSuspended sets Ready to False while the engine is stopped.
func (e *Environment) MarkSuspended(message string) {
	e.mark(PhaseSuspended, message)
	environmentConditions.Manage(&e.Status).MarkFalse(apis.ConditionReady, ReasonSuspended, "%s", message)
}

// MarkTerminating sets Ready to False while the teardown runs.
func (e *Environment) MarkTerminating(message string) {
	e.mark(PhaseTerminating, message)
	environmentConditions.Manage(&e.Status).MarkFalse(apis.ConditionReady, ReasonTerminating, "%s", message)
}

// MarkDrifted sets Drifted to True with a sentence; an empty one takes the condition away.
// It does not bear on Ready.
func (e *Environment) MarkDrifted(message string) {
	conditions := environmentConditions.Manage(&e.Status)
	if message == "" {
		_ = conditions.ClearCondition(ConditionDrifted) // fails for conditions that make up Ready alone
		return
	}
	conditions.SetCondition(apis.Condition{
		Type: ConditionDrifted, Status: corev1.ConditionTrue, Severity: apis.ConditionSeverityInfo,
		Reason: ReasonDrifted, Message: message,
	})
}

// Service returns the status of a service, or nil.
func (s *EnvironmentStatus) Service(name string) *ServiceStatus {
	for i := range s.Services {
		if s.Services[i].Name == name {
			return &s.Services[i]
		}
	}
	return nil
}

func (e *Environment) mark(phase Phase, message string) {
	e.Status.Phase, e.Status.Message = phase, message
}

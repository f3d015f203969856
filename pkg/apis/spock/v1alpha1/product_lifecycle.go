package v1alpha1

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"knative.dev/pkg/apis"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

// ReasonValid is the reason of a product's Ready condition when nothing is wrong with it;
// otherwise that is ReasonInvalid.
const ReasonValid = "Valid"

var productConditions = apis.NewLivingConditionSet()

// GetConditionSet returns the conditions of a Product: Ready alone.
func (*Product) GetConditionSet() apis.ConditionSet { return productConditions }

// GetStatus returns the part of the status that all Knative-style kinds share.
func (p *Product) GetStatus() *duckv1.Status { return &p.Status.Status }

// GetGroupVersionKind returns the kind.
func (*Product) GetGroupVersionKind() schema.GroupVersionKind {
	return SchemeGroupVersion.WithKind("Product")
}

// MarkValid sets Ready to True.
func (p *Product) MarkValid(message string) {
	productConditions.Manage(&p.Status).MarkTrueWithReason(apis.ConditionReady, ReasonValid, "%s", message)
}

// MarkInvalid sets Ready to False with a sentence for each thing that is wrong.
func (p *Product) MarkInvalid(message string) {
	productConditions.Manage(&p.Status).MarkFalse(apis.ConditionReady, ReasonInvalid, "%s", message)
}

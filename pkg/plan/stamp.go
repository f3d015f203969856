package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// stamp writes ownership and hash on the objects of a service.
type stamp struct {
	env     *v1alpha1.Environment
	service string
}

// objects returns stamped copies; node is empty for passive objects.
func (s stamp) objects(node string, rendered []*unstructured.Unstructured) ([]Object, error) {
	objects := make([]Object, 0, len(rendered))
	for _, r := range rendered {
		o := r.DeepCopy()
		annotate(o, v1alpha1.AnnotationNode, node)
		pods, err := markPods(o)
		if err != nil {
			return nil, fmt.Errorf("mark the pods of %s %s of service %s: %w", o.GetKind(), o.GetName(), s.service, err)
		}
		hash, err := hashOf(o)
		if err != nil {
			return nil, fmt.Errorf("hash %s %s of service %s: %w", o.GetKind(), o.GetName(), s.service, err)
		}
		annotate(o, v1alpha1.AnnotationHash, hash)
		annotate(o, v1alpha1.AnnotationEnvironmentUID, string(s.env.UID)) // not hashed: a plan can be made before there is one
		objects = append(objects, Object{
			Key:     Key{GroupVersionKind: o.GroupVersionKind(), Name: o.GetName()},
			Service: s.service, Hash: hash, PodHash: pods, Desired: o,
		})
	}
	return objects, nil
}

// replaces are the kinds that replace their pods when the template changes. A Job cannot
// change; its pods are told by their owner.
var replaces = map[schema.GroupKind]bool{
	{Group: "apps", Kind: "Deployment"}:  true,
	{Group: "apps", Kind: "StatefulSet"}: true,
	{Group: "apps", Kind: "DaemonSet"}:   true,
}

// MarksPods says whether the pods of a kind carry the digest of their template, by which
// they are known.
func MarksPods(kind schema.GroupKind) bool { return replaces[kind] }

// markPods writes the digest of the pod template into it, so that a pod tells which
// revision it is of: its age does not, for it is known to the second only.
func markPods(o *unstructured.Unstructured) (string, error) {
	if !MarksPods(o.GroupVersionKind().GroupKind()) {
		return "", nil
	}
	template, found, err := unstructured.NestedFieldNoCopy(o.Object, "spec", "template")
	if err != nil || !found {
		return "", err
	}
	hash, err := hashOf(template)
	if err != nil {
		return "", err
	}
	return hash, unstructured.SetNestedField(o.Object, hash, "spec", "template", "metadata", "annotations", v1alpha1.AnnotationPodHash)
}

func annotate(o *unstructured.Unstructured, key, value string) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	o.SetAnnotations(annotations)
}

func one(o *unstructured.Unstructured) []*unstructured.Unstructured {
	return []*unstructured.Unstructured{o}
}

// hashOf is the sha256 of the object's canonical JSON (sorted keys), cut to 32 hex
// digits: enough to tell two wishes apart, short enough to read.
func hashOf(v any) (string, error) {
	if o, ok := v.(*unstructured.Unstructured); ok {
		v = o.Object
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]), nil
}

// digest covers what is written and what waits for what, however it is listed.
func digest(p *Plan) string {
	var lines []string
	add := func(objects []Object) {
		for _, o := range objects {
			lines = append(lines, fmt.Sprintf("object %q %q %s\n", o.GroupVersionKind, o.Name, o.Hash))
		}
	}
	add(p.Passive)
	for _, n := range p.Nodes {
		lines = append(lines, fmt.Sprintf("node %q after %q\n", n.Name, slices.Sorted(slices.Values(n.After))))
		if len(n.Started) > 0 {
			lines = append(lines, fmt.Sprintf("node %q after the start of %q\n", n.Name, slices.Sorted(slices.Values(n.Started))))
		}
		add(n.Objects)
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return "sha256:" + hex.EncodeToString(sum[:])
}

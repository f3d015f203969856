package plan

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// SnapshotLimit is how many bytes a snapshot may take, so that an EnvironmentRun with its
// nodes, its snapshot and its status stays far below what a store takes of one object.
const SnapshotLimit = 384 << 10

// unpackedLimit is how many bytes of JSON a snapshot may hold.
const unpackedLimit = 64 << 20

// snapshot is a plan as a run keeps it: the objects themselves, so that no template, no
// product and no newer Spock makes something else of it. Secrets are not among them: a
// plan has none.
type snapshot struct {
	Passive []frozenObject `json:"passive,omitempty"`
	Nodes   []frozenNode   `json:"nodes,omitempty"`
}

type frozenObject struct {
	Service string          `json:"service,omitempty"`
	Object  json.RawMessage `json:"object"`
}

type frozenNode struct {
	Name    string               `json:"name"`
	Kind    Kind                 `json:"kind"`
	Group   string               `json:"group,omitempty"`
	Service string               `json:"service,omitempty"`
	After   []string             `json:"after,omitempty"`
	Started []string             `json:"started,omitempty"`
	Objects []frozenObject       `json:"objects,omitempty"`
	Image   string               `json:"image,omitempty"`
	URL     string               `json:"url,omitempty"`
	Ready   []v1alpha1.ReadyRule `json:"ready,omitempty"`
}

// Snapshot packs the plan. The same plan gives the same bytes. It returns nil for a plan
// that takes more than SnapshotLimit.
func (p *Plan) Snapshot() ([]byte, error) {
	var s snapshot
	var err error
	if s.Passive, err = freeze(p.Passive); err != nil {
		return nil, err
	}
	for _, n := range p.Nodes {
		f := frozenNode{
			Name: n.Name, Kind: n.Kind, Group: n.Group, Service: n.Service, After: n.After, Started: n.Started,
			Image: n.Image, URL: n.URL, Ready: n.Ready,
		}
		if f.Objects, err = freeze(n.Objects); err != nil {
			return nil, err
		}
		s.Nodes = append(s.Nodes, f)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if err := json.NewEncoder(w).Encode(s); err != nil {
		return nil, fmt.Errorf("pack the plan: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("pack the plan: %w", err)
	}
	if packed.Len() > SnapshotLimit {
		return nil, nil
	}
	return packed.Bytes(), nil
}

func freeze(objects []Object) ([]frozenObject, error) {
	out := make([]frozenObject, 0, len(objects))
	for _, o := range objects {
		text, err := json.Marshal(o.Desired.Object)
		if err != nil {
			return nil, fmt.Errorf("pack %s of service %s: %w", o.Key, o.Service, err)
		}
		out = append(out, frozenObject{Service: o.Service, Object: text})
	}
	return out, nil
}

// FromSnapshot unpacks a plan. It fails when the snapshot was not made of a plan with this
// digest, or was changed since.
func FromSnapshot(packed []byte, wanted string) (*Plan, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("unpack the plan: %w", err)
	}
	var s snapshot
	if err := json.NewDecoder(io.LimitReader(r, unpackedLimit)).Decode(&s); err != nil {
		return nil, fmt.Errorf("unpack the plan: %w", err)
	}
	p := &Plan{keys: map[identity]bool{}}
	if p.Passive, err = p.thaw(s.Passive); err != nil {
		return nil, err
	}
	for _, f := range s.Nodes {
		n := Node{
			Name: f.Name, Kind: f.Kind, Group: f.Group, Service: f.Service, After: f.After, Started: f.Started,
			Image: f.Image, URL: f.URL, Ready: f.Ready,
		}
		if n.Objects, err = p.thaw(f.Objects); err != nil {
			return nil, err
		}
		p.Nodes = append(p.Nodes, n)
	}
	if p.Digest = digest(p); p.Digest != wanted {
		return nil, fmt.Errorf("unpack the plan: its digest is %s, not %s", p.Digest, wanted)
	}
	return p, nil
}

// thaw unpacks objects; their hashes are made anew, so that one that was tampered with is
// found by the digest of the plan.
func (p *Plan) thaw(frozen []frozenObject) ([]Object, error) {
	var objects []Object
	for _, f := range frozen {
		o := &unstructured.Unstructured{}
		if err := o.UnmarshalJSON(f.Object); err != nil {
			return nil, fmt.Errorf("unpack an object of service %s: %w", f.Service, err)
		}
		annotations := o.GetAnnotations()
		owner := annotations[v1alpha1.AnnotationEnvironmentUID]
		delete(annotations, v1alpha1.AnnotationHash)
		delete(annotations, v1alpha1.AnnotationEnvironmentUID)
		o.SetAnnotations(annotations)
		hash, err := hashOf(o)
		if err != nil {
			return nil, fmt.Errorf("hash %s %s of service %s: %w", o.GetKind(), o.GetName(), f.Service, err)
		}
		annotate(o, v1alpha1.AnnotationHash, hash)
		annotate(o, v1alpha1.AnnotationEnvironmentUID, owner)
		pods, _, _ := unstructured.NestedString(o.Object, "spec", "template", "metadata", "annotations", v1alpha1.AnnotationPodHash)
		objects = append(objects, Object{
			Key: Key{GroupVersionKind: o.GroupVersionKind(), Name: o.GetName()}, Service: f.Service, Hash: hash, PodHash: pods, Desired: o,
		})
	}
	p.remember(objects)
	return objects, nil
}

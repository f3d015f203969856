package render

import (
	"maps"
	"slices"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/manifest"
	"spock.dev/spock/pkg/nearest"
)

// layered is an image of a container, with the layer that won and its field.
type layered struct {
	image string
	layer Layer
	field string
}

// settleImages takes the strongest image of each container that a layer names.
func (s *settled) settleImages(sources []source, p *problems) {
	s.images = map[string]layered{}
	for _, src := range sources {
		for _, name := range slices.Sorted(maps.Keys(src.values.Images)) {
			image, field := src.values.Images[name], src.field+": images "+name
			if problem := badImage(image); problem != "" {
				p.add(field, "write "+wanted(v1alpha1.ParameterImage), "%s", problem)
			}
			s.images[name] = layered{image, src.layer, field}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.images)) {
		if !s.manifests() {
			p.add(s.images[name].field, "set image instead", "the service has one container, since its template brings no manifests")
			continue
		}
		s.values = append(s.values, Value{Name: "images." + name, Value: s.images[name].image, Layer: s.images[name].layer})
	}
}

// replaceImages puts the images of single containers into the objects that the template
// brings. A name that no container has would silently do nothing.
func (b *builder) replaceImages() {
	left, known := maps.Clone(b.images), []string{}
	for _, object := range b.out.Workloads {
		for _, container := range manifest.Containers(object) {
			name, _ := container["name"].(string)
			known = append(known, name)
			if wanted, ok := b.images[name]; ok {
				container["image"] = wanted.image
				delete(left, name)
			}
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	for _, name := range slices.Sorted(maps.Keys(left)) {
		b.problems.add(left[name].field, nearest.Hint(name, known, "its manifests have no containers"), "the service has no container %q", name)
	}
}

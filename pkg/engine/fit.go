package engine

import (
	"encoding/json"
	"slices"
	"strings"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// StoryLimit is how many bytes of JSON the services of a status may take. With what else
// is in it, a status stays below 256 KiB, so that a store with a limit of 1.5 MiB per
// object takes it, and a watch of it stays cheap.
const StoryLimit = 224 << 10

// Fit returns the services as they are told when they may take limit bytes of JSON. What
// is large and illustrates goes first: long logs, all logs, hints, long sentences, then
// everything but the state; each from the last service to the first, and no more than it
// takes. The first failure, from which the others often follow, keeps all it has as long
// as it can. It changes nothing of what it is given, and what fits is returned as it is.
func Fit(all []v1alpha1.ServiceStatus, limit int) []v1alpha1.ServiceStatus {
	f := fitting{limit: limit, first: slices.IndexFunc(all, func(s v1alpha1.ServiceStatus) bool { return s.State == v1alpha1.ServiceFailed })}
	for i := range all {
		f.sizes = append(f.sizes, sizeOf(&all[i]))
		f.total += f.sizes[i]
	}
	if f.fits() {
		return all
	}
	for i := range all {
		f.services = append(f.services, *all[i].DeepCopy())
	}
	for _, shorten := range measures {
		f.each(shorten)
	}
	for _, shorten := range measures {
		f.at(f.first, shorten)
	}
	return f.services
}

type fitting struct {
	limit, total int
	first        int // failure; -1 when none failed
	services     []v1alpha1.ServiceStatus
	sizes        []int
}

func (f *fitting) fits() bool { return f.total <= f.limit }

// each shortens the services from the last one, but not the first failure.
func (f *fitting) each(shorten func(*v1alpha1.ServiceStatus)) {
	for i := len(f.services) - 1; i >= 0; i-- {
		if i != f.first {
			f.at(i, shorten)
		}
	}
}

func (f *fitting) at(i int, shorten func(*v1alpha1.ServiceStatus)) {
	if i < 0 || f.fits() {
		return
	}
	shorten(&f.services[i])
	size := sizeOf(&f.services[i])
	f.total += size - f.sizes[i]
	f.sizes[i] = size
}

// sizeOf is the length of the JSON of a service, with the comma after it.
func sizeOf(s *v1alpha1.ServiceStatus) int {
	text, err := json.Marshal(s)
	if err != nil {
		return 0 // a status is made of strings, numbers and times: it has a JSON
	}
	return len(text) + 1
}

// measures shorten a service, the mildest first.
var measures = []func(*v1alpha1.ServiceStatus){
	ofCause(func(c *v1alpha1.Cause) { c.Log = lastBytes(c.Log, 2<<10) }),
	ofCause(func(c *v1alpha1.Cause) { c.Log = "" }),
	ofCause(func(c *v1alpha1.Cause) { c.Hint, c.Answer = "", firstBytes(c.Answer, 120) }),
	brief,
	bare,
}

func ofCause(shorten func(*v1alpha1.Cause)) func(*v1alpha1.ServiceStatus) {
	return func(s *v1alpha1.ServiceStatus) {
		if s.Cause != nil {
			shorten(s.Cause)
		}
	}
}

// brief cuts the sentences. A failed service tells its message as its cause.
func brief(s *v1alpha1.ServiceStatus) {
	s.Message = firstBytes(s.Message, 120)
	s.WaitingFor = s.WaitingFor[:min(len(s.WaitingFor), 1)]
	if s.Cause != nil {
		s.Message, s.Cause.Message = "", firstBytes(s.Cause.Message, 120)
	}
}

// bare leaves name, group, state and the class of the cause.
func bare(s *v1alpha1.ServiceStatus) {
	kept := v1alpha1.ServiceStatus{Name: s.Name, Group: s.Group, State: s.State}
	if s.Cause != nil {
		kept.Cause = &v1alpha1.Cause{Class: s.Cause.Class, Message: firstBytes(s.Cause.Message, 20)}
	}
	*s = kept
}

func firstBytes(text string, size int) string {
	if len(text) <= size {
		return text
	}
	return strings.ToValidUTF8(text[:size], "") + "..."
}

func lastBytes(text string, size int) string {
	if len(text) <= size {
		return text
	}
	return "..." + strings.ToValidUTF8(text[len(text)-size:], "")
}

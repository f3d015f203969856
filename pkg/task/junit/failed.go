package junit

import "strings"

// Failed is a case that did not pass.
type Failed struct {
	// Name is CLASSNAME.NAME, or the name alone.
	Name string
	// Why is the first line of what the report says of it.
	Why string
}

// Failed are the cases with a failure or an error, in the order of the report.
func (s Suites) Failed() []Failed {
	var all []Failed
	for i := range s.Suites {
		for _, c := range s.Suites[i].Cases {
			problem := c.Failure
			if problem == nil {
				problem = c.Error
			}
			if problem == nil {
				continue
			}
			all = append(all, Failed{strings.TrimPrefix(c.Classname+"."+c.Name, "."), problem.first()})
		}
	}
	return all
}

func (p *Problem) first() string {
	for _, text := range []string{p.Message, p.Text} {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line != "" {
				return line
			}
		}
	}
	return ""
}

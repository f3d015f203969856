package coverage

import (
	"encoding/xml"
	"errors"
	"fmt"
	"math"
)

// fromXML reads the sums at the root of a report of Cobertura or JaCoCo.
func fromXML(text []byte) (Share, error) {
	var root struct {
		XMLName xml.Name
		// Cobertura's; those that leave the counts out have the rate alone.
		Run  int      `xml:"lines-covered,attr"`
		All  int      `xml:"lines-valid,attr"`
		Rate *float64 `xml:"line-rate,attr"`
		// JaCoCo's.
		Counters []counter `xml:"counter"`
	}
	if err := xml.Unmarshal(text, &root); err != nil {
		return Share{}, fmt.Errorf("read the XML: %w", err)
	}
	switch root.XMLName.Local {
	case "coverage":
		if root.All > 0 {
			return Share{root.Run, root.All}, nil
		}
		if root.Rate != nil {
			return Share{int(math.Round(*root.Rate * 1000)), 1000}, nil
		}
	case "report":
		// Without debug information there are no lines.
		for _, kind := range []string{"LINE", "INSTRUCTION"} {
			for _, c := range root.Counters {
				if c.Kind == kind {
					return Share{c.Run, c.Run + c.Missed}, nil
				}
			}
		}
	default:
		return Share{}, fmt.Errorf("<%s> is a report neither of Cobertura nor of JaCoCo", root.XMLName.Local)
	}
	return Share{}, errors.New("the report says nothing of lines")
}

type counter struct {
	Kind   string `xml:"type,attr"`
	Missed int    `xml:"missed,attr"`
	Run    int    `xml:"covered,attr"`
}

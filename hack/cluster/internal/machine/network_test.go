package machine

import "testing"

func TestAMachineKeepsItsCard(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{"198.19.255.3": "02:00:c6:13:ff:03", "198.18.15.25": "02:00:c6:12:0f:19"} {
		if got := hardware(address); got != want {
			t.Errorf("hardware(%s) = %s, want %s", address, got, want)
		}
	}
}

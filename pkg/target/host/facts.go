package host

import (
	"context"
	"strconv"
	"strings"
)

// Facts are what a machine is.
type Facts struct {
	OS, Arch, Kernel string
	Systemd          int64
	CPUs             int64
	// MemoryKiB, DiskKiB and DiskFreeKiB; the disk is the one that releases lie on.
	MemoryKiB, DiskKiB, DiskFreeKiB int64
}

// Facts asks the machine what it is. It fails with NotPrepared when Spock cannot work on it.
func (c *Conn) Facts(ctx context.Context) (Facts, error) {
	out, err := c.Run(ctx, script("facts"), nil)
	if err != nil {
		return Facts{}, err
	}
	return parseFacts(out), nil
}

// parseFacts reads what facts.sh prints. What is missing or no number stays zero.
func parseFacts(out string) Facts {
	values := map[string]string{}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[name] = lastLines(value)
	}
	count := func(name string) int64 {
		n, err := strconv.ParseInt(values[name], 10, 64)
		if err != nil || n < 0 {
			return 0
		}
		return n
	}
	return Facts{
		OS: values["os"], Arch: values["arch"], Kernel: values["kernel"],
		Systemd: count("systemd"), CPUs: count("cpus"),
		MemoryKiB: count("memoryKiB"), DiskKiB: count("diskKiB"), DiskFreeKiB: count("diskFreeKiB"),
	}
}

// architecture is a machine's in the words of images.
func (f Facts) architecture() string {
	known := map[string]string{"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}
	if a, ok := known[f.Arch]; ok {
		return a
	}
	return f.Arch
}

package host

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// limitWait gives a connection up when what was sent is not acknowledged in time.
func limitWait(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(answerWithin.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}

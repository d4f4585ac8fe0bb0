//go:build unix

package hub

import (
	"errors"
	"syscall"
)

const canWriteOnce = true

// writeOnce gives how many bytes the socket took; none, without an error, where it is full.
func writeOnce(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		default:
			return 0, err
		}
	}
}

//go:build !unix

package hub

import "errors"

const canWriteOnce = false

func writeOnce(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }

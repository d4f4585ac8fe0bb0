//go:build !linux

package redistest

import "syscall"

// dieWithParent does nothing where the system knows no parent-death signal: a killed test binary leaves its server behind.
func dieWithParent(a *syscall.SysProcAttr) *syscall.SysProcAttr { return a }

//go:build !linux

package embedded

import "syscall"

// dieWithParent does nothing where the system knows no parent-death signal: the next start adopts the store that stayed behind.
func dieWithParent(a *syscall.SysProcAttr) *syscall.SysProcAttr { return a }

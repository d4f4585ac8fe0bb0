package redistest

import "syscall"

// dieWithParent lets the child end when the test binary is killed.
func dieWithParent(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	a.Pdeathsig = syscall.SIGKILL
	return a
}

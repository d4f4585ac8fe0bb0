package embedded

import "syscall"

// dieWithParent has the kernel end the child when the thread that forked it ends, which is when this process is killed.
func dieWithParent(a *syscall.SysProcAttr) *syscall.SysProcAttr {
	a.Pdeathsig = syscall.SIGKILL
	return a
}

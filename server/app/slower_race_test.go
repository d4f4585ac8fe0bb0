//go:build race

package app

// slower is how much longer a test waits than a quiet machine needs: here the race detector slows what it waits for.
const slower = 6

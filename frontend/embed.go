// Package frontend is the built screens, carried inside the binary.
package frontend

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files are the built pages and their assets, as vite wrote them to dist: wall.html, login.html, assets/.
// Before the first build only .gitkeep is there, so that the module always compiles.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("frontend: dist is not embedded: " + err.Error()) // cannot happen: the directive above names it
	}
	return files
}

package api

import "net/http"

// root offers the root of our own authority, which phones and walls on the LAN install to trust this server. It is public: whoever signs in
// must trust it before.
func (s *server) root() {
	s.table.handle("GET /api/v1/session/authority", anyone(), func(w http.ResponseWriter, _ *http.Request) {
		if len(s.Root) == 0 {
			problem(w, http.StatusNotFound, "there is no authority to trust", "this server speaks plain HTTP, or shows a certificate that devices trust already")
			return
		}
		w.Header().Set("Content-Type", "application/x-x509-ca-cert")
		w.Header().Set("Content-Disposition", `attachment; filename="kentongan-root.crt"`)
		_, _ = w.Write(s.Root)
	})
}

package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/server/problem"
)

// root offers the root of our own authority, which phones and walls on the LAN install to trust this server. It is public: whoever signs in
// must trust it before.
func (s *server) root() {
	const path, media = "/api/v1/session/authority", "application/x-x509-ca-cert"
	s.table.handle("GET "+path, anyone(), func(w http.ResponseWriter, _ *http.Request) {
		if len(s.Root) == 0 {
			tell(w, problem.NoAuthority, "this server speaks plain HTTP, or shows a certificate that devices trust already")
			return
		}
		w.Header().Set("Content-Type", media)
		w.Header().Set("Content-Disposition", `attachment; filename="kentongan-root.crt"`)
		_, _ = w.Write(s.Root)
	})
	s.docs.OpenAPI().AddOperation(&huma.Operation{Method: "GET", Path: path, OperationID: "authority", Summary: "The root of this house's own authority, for devices that shall trust it", Responses: map[string]*huma.Response{
		"200": {Description: "PEM", Content: map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: "string"}}}},
		"404": {Description: "There is none: this server speaks plain HTTP, or shows a certificate that devices trust already"}}})
}

package api

import (
	"errors"
	"net/http"
	"strconv"

	"kentongan/server/access"
	"kentongan/server/basemap"
	"kentongan/server/problem"
)

// tileLife is how long a browser keeps what it was given of an outside style.
const tileLife = "private, max-age=3600"

// basemap registers the base map. It takes the right that every screen has: what it shows is public, but our server fetches it.
func (s *server) basemap() {
	s.table.handle("GET "+basemap.Root+"{path...}", needs(access.ReadThings), func(w http.ResponseWriter, r *http.Request) {
		path := r.PathValue("path")
		if s.Basemap.File(w, r, path) {
			return
		}
		a, err := s.Basemap.Get(r.Context(), path)
		switch {
		case errors.Is(err, basemap.ErrNotFound):
			tell(w, problem.NotFound, "not part of the base map")
			return
		case err != nil: // the reason is in our log; it may name what the outside may not be told
			s.Log.Debug().Err(err).Msg("base map")
			w.Header().Set("Retry-After", "15")
			tell(w, problem.BaseMapAway, "")
			return
		}
		h := w.Header()
		h.Set("Cache-Control", tileLife)
		h.Set("Age", strconv.Itoa(int(a.Age.Seconds())))
		if a.Empty {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		h.Set("Content-Type", a.Type)
		if path == "style.json" {
			h.Set("Cache-Control", "no-cache")
		}
		z := compress(w, r)
		defer z.close()
		_, _ = z.Write(a.Body)
	})
}

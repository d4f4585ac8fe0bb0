package cameras

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever goes wrong, what a browser and the log are told names the kind of it, and neither the camera's host nor its number nor its port.
func TestNoFaultTellsWhereACameraIs(t *testing.T) {
	quiet := func(s *httptest.Server) *httptest.Server {
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		return s
	}
	answers := func(serve http.HandlerFunc) string {
		s := httptest.NewServer(serve)
		t.Cleanup(s.Close)
		return s.URL
	}
	encrypted := quiet(httptest.NewTLSServer(http.NotFoundHandler()))
	t.Cleanup(encrypted.Close)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close() // its port is nobody's now
	for name, c := range map[string]struct {
		at, code string
		private  bool
	}{
		"a name that leads nowhere": {"http://cam7.rahasia.invalid:8554", "dns", true},
		"nobody listens":            {"http://" + closed.Addr().String(), "refused", true},
		"a private number":          {"http://10.20.30.40:8554", "address", false},
		"metadata of a cloud":       {"http://169.254.169.254", "address", true},
		"its certificate":           {encrypted.URL, "tls", true},
		"no TLS where it should be": {strings.Replace(answers(http.NotFound), "http:", "https:", 1), "network", true},
		"a status":                  {answers(http.NotFound), "http", true},
		"a redirect elsewhere": {answers(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://cam9.rahasia.invalid:8555/", http.StatusFound)
		}), "address", true},
		"round and round": {answers(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }), "address", true},
		"a broken redirect": {answers(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://cam9.rahasia.invalid:x/")
			w.WriteHeader(302)
		}), "", true},
		"no HTTP":             {answers(func(w http.ResponseWriter, _ *http.Request) { nonsense(w) }), "", true},
		"it ends in its head": {answers(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "broken", true},
	} {
		t.Run(name, func(t *testing.T) {
			h := looking(t, c.at, func(one *Config) { one.AllowPrivate = c.private })
			_, still := h.Still(t.Context(), "camera:pasar")
			_, list := get(t, h, Start)
			if still == nil || list == nil {
				t.Fatalf("%v, %v", still, list)
			}
			if got := h.List()[0].Fault; got != c.code && c.code != "" || got == "" {
				t.Errorf("fault %q, want %q", got, c.code)
			}
			u, err := url.Parse(c.at)
			if err != nil {
				t.Fatal(err)
			}
			for where, text := range map[string]string{"the picture": still.Error(), "the playlist": list.Error(), "the log": h.log.String()} {
				for _, secret := range []string{u.Hostname(), u.Port(), "rahasia", "cam9", "8555", "http://", "https://", "/still"} {
					if secret != "" && strings.Contains(text, secret) {
						t.Errorf("%s tells %q: %.300s", where, secret, text)
					}
				}
			}
		})
	}
}

// nonsense answers with what is no HTTP.
func nonsense(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = fmt.Fprint(conn, "RTSP/1.0 400 rahasia\r\n\r\n")
	_ = conn.Close()
}

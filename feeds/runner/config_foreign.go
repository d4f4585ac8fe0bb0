package runner

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
)

// MaxPlaces bounds the text of places, in bytes.
const MaxPlaces = 256 << 10

// fileOptions are the options of formats that name a file.
var fileOptions = map[string][]string{"gtfsrt": {"static"}}

// ValidateForeign is Validate for settings that come from outside the configuration file, through the interface. It also refuses what reaches
// into the server's machine: files to read and ports to open. A file that is named is not looked at.
func (c FeedConfig) ValidateForeign() []error {
	var faults []error
	refuse := func(bad bool, key, why string) {
		if bad {
			faults = append(faults, &ConfigError{key, why})
		}
	}
	const file = "names a file of the server's machine: that belongs in the configuration file"
	refuse(c.Transport == File || c.Transport == Simulator, "transport", c.Transport+" belongs in the configuration file")
	refuse(c.Path != "", "path", file)
	refuse(c.Register != "", "register", file+"; give the rows themselves as places")
	refuse(c.Listen != "", "listen", "opens a port of the server's machine: that belongs in the configuration file")
	eachText(reflect.ValueOf(c), "", func(key, text string) {
		refuse(text != "" && strings.HasSuffix(key, "_file"), key, file)
	})
	for _, key := range fileOptions[c.Format] {
		_, given := c.Options[key]
		refuse(given, "options."+key, file)
	}
	if u, err := url.Parse(c.URL); err == nil && u.User != nil {
		refuse(true, "url", "holds credentials: they belong in auth")
	}
	if len(faults) == 0 {
		return c.Validate()
	}
	c.withoutFiles()
	for _, err := range c.Validate() {
		if at, ok := err.(*ConfigError); !ok || !names(faults, at.Key) {
			faults = append(faults, err)
		}
	}
	return faults
}

// withoutFiles drops what names files, so that the rest can be checked without looking at any.
func (c *FeedConfig) withoutFiles() {
	c.Path, c.Register, c.TLS, c.Auth.PasswordFile, c.Auth.BearerFile, c.SubscribeFile = "", "", TLS{}, "", "", ""
	if c.HMAC != nil {
		signed := *c.HMAC
		signed.SecretFile = ""
		c.HMAC = &signed
	}
	options := map[string]any{}
	for key, value := range c.Options {
		options[key] = value
	}
	for _, key := range fileOptions[c.Format] {
		delete(options, key)
	}
	c.Options = options
}

func names(faults []error, key string) bool {
	for _, err := range faults {
		at, ok := err.(*ConfigError)
		if ok && (at.Key == key || at.Key == "transport" && key == "path" || at.Key == "hmac.secret_file" && key == "hmac.secret") {
			return true
		}
	}
	return false
}

// eachText visits every text of settings by its key, as auth.password_file.
func eachText(v reflect.Value, key string, visit func(key, text string)) {
	switch v.Kind() {
	case reflect.String:
		visit(key, v.String())
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), key, visit)
		}
	case reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
				eachText(v.FieldByIndex(f.Index), strings.TrimPrefix(key+"."+name, "."), visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), fmt.Sprintf("%s[%d]", key, i), visit)
		}
	}
}

// secrets gives every secret of the settings by its key, with the way to set it.
func (c *FeedConfig) secrets() map[string]func(*Secret) Secret {
	out := map[string]func(*Secret) Secret{}
	eachSecret(reflect.ValueOf(c).Elem(), "", out)
	return out
}

var secretType = reflect.TypeFor[Secret]()

func eachSecret(v reflect.Value, key string, out map[string]func(*Secret) Secret) {
	switch {
	case v.Type() == secretType:
		out[key] = func(s *Secret) Secret {
			if s != nil {
				v.Set(reflect.ValueOf(*s))
			}
			return Secret(v.String())
		}
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			eachSecret(v.Elem(), key, out)
		}
	case v.Kind() == reflect.Struct:
		for _, f := range reflect.VisibleFields(v.Type()) {
			if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" && name != "-" {
				eachSecret(v.FieldByIndex(f.Index), strings.TrimPrefix(key+"."+name, "."), out)
			}
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			eachSecret(v.Index(i), fmt.Sprintf("%s[%d]", key, i), out)
		}
	case v.Kind() == reflect.Map && v.Type().Elem() == secretType && v.Type().Key().Kind() == reflect.String:
		for _, k := range v.MapKeys() {
			out[key+"."+k.String()] = func(s *Secret) Secret {
				if s != nil {
					v.SetMapIndex(k, reflect.ValueOf(*s))
				}
				return Secret(v.MapIndex(k).String())
			}
		}
	}
}

// KeepSecrets puts the secrets of the settings before in the place of those that were only shown. A fault names a secret that there is none
// of, and one that would be sent to another host than it was given for: whoever may change an address must not read secrets by it. The
// settings' own map of headers is changed.
func (c *FeedConfig) KeepSecrets(before FeedConfig) []error {
	old := before.secrets()
	var faults []error
	for key, secret := range c.secrets() {
		if secret(nil) != Shown {
			continue
		}
		was, ok := old[key]
		if !ok || was(nil) == "" || was(nil) == Shown {
			faults = append(faults, &ConfigError{key, "there is no secret to keep: give it"})
			continue
		}
		if !strings.HasPrefix(key, "hmac.") && !sameHost(c.URL, before.URL) { // what signs is never sent
			faults = append(faults, &ConfigError{key, "the url leads to another host than this secret was given for: give it again"})
			continue
		}
		kept := was(nil)
		secret(&kept)
	}
	return faults
}

// sameHost tells whether two addresses lead to the same host, port and encryption.
func sameHost(a, b string) bool {
	x, bad := url.Parse(a)
	y, worse := url.Parse(b)
	return bad == nil && worse == nil && x.Scheme == y.Scheme && strings.EqualFold(x.Host, y.Host)
}

// Scrub hides the settings' secrets in a text that may quote them.
func (c FeedConfig) Scrub(text string) string {
	for _, secret := range c.secrets() {
		if s := secret(nil).Reveal(); len(s) > 3 && s != Shown {
			text = strings.ReplaceAll(text, s, Shown)
		}
	}
	return text
}

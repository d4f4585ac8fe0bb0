package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/status"
)

// schemaName is the name of a type in the OpenAPI document: its own, and of what belongs to the area's status with that before it, for
// incidents have evidence too.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.PkgPath() == reflect.TypeFor[status.Status]().PkgPath() && !strings.HasPrefix(name, "Status") {
		return "Status" + name
	}
	return name
}

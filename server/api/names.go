package api

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/dispatch"
	"kentongan/alerts/recommend"
	"kentongan/alerts/status"
	"kentongan/alerts/unit"
	"kentongan/server/problem"
)

// schemaName is the name of a type in the OpenAPI document: its own, and of what belongs to the area's status, to units, dispatches or
// recommendations with that before it, for others have evidence, posts and reasons too.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	before := map[string]string{reflect.TypeFor[status.Status]().PkgPath(): "Status", reflect.TypeFor[unit.Unit]().PkgPath(): "Unit",
		reflect.TypeFor[dispatch.Dispatch]().PkgPath(): "Dispatch", reflect.TypeFor[recommend.Answer]().PkgPath(): "Recommended",
		reflect.TypeFor[problem.Document]().PkgPath(): "Problem"}[t.PkgPath()]
	switch {
	case before == "" || t != reflect.TypeFor[unit.Unit]() && strings.HasPrefix(name, before):
		return name
	case t == reflect.TypeFor[unit.Unit](): // a profile has units too: as its roster lists them
		return "UnitNow"
	}
	return before + name
}

package profile

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"kentongan/feeds/bounded"
	"kentongan/geo"
	"kentongan/server/strict"
)

// feature is an area as a GeoJSON Feature.
type feature struct {
	Type       string    `json:"type"`
	Properties place     `json:"properties"`
	Geometry   geo.Shape `json:"geometry"`
}

// placeKeys are the keys of an area in an areas file.
var placeKeys = []string{"code", "codes", "name", "kind", "seat", "cells", "geometry"}

// readAreas reads the areas file: a JSON list of areas, or a GeoJSON FeatureCollection. A fault costs one area and names its line.
func (r *reading) readAreas(dir fs.FS, shown string) {
	text, err := fs.ReadFile(dir, path.Clean(r.AreasFile))
	if err != nil {
		r.bad("areas_file", "%v", err)
		return
	}
	lines := &bounded.Lines{Body: text}
	fault := func(at int, format string, args ...any) {
		line, column := lines.At(at)
		r.Faults = append(r.Faults, strict.Fault{Source: shown, Line: line, Column: column, Text: fmt.Sprintf(format, args...)})
	}
	if err := bounded.JSONDocument(text); err != nil {
		r.Faults = append(r.Faults, strict.Fault{Source: shown, Line: 1, Column: 1, Text: err.Error()})
		return
	}
	at, collection := 0, false
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		members, err := bounded.Members(text, 0)
		features, ok := members["features"]
		if err != nil || !ok {
			fault(0, "want a list of areas, or a FeatureCollection with features")
			return
		}
		at, collection = features.From, true
	}
	items, err := bounded.Elements(text, at)
	if err != nil {
		fault(at, "%v", err)
		return
	}
	for _, item := range items {
		if err := bounded.JSONItem(lines, item); err != nil {
			fault(item.From, "%v", err)
			continue
		}
		one, err := readArea(text[item.From:item.To], collection)
		if err != nil {
			fault(item.From, "%v", err)
			continue
		}
		one.source = shown
		one.at.Line, one.at.Column = lines.At(item.From)
		r.areas = append(r.areas, one)
	}
}

func readArea(text []byte, collection bool) (place, error) {
	if collection {
		// Foreign members of features and their properties are GeoJSON's own custom: they are passed over.
		var f feature
		if err := json.Unmarshal(text, &f); err != nil {
			return place{}, err
		}
		f.Properties.Geometry = f.Geometry
		return f.Properties, nil
	}
	members, err := bounded.Members(text, 0)
	if err != nil {
		return place{}, err
	}
	for key := range members {
		known := false
		for _, k := range placeKeys {
			known = known || k == key
		}
		if !known {
			hint := ""
			if near := strict.Nearest(key, placeKeys); near != "" {
				hint = "; did you mean " + near + "?"
			}
			return place{}, fmt.Errorf("unknown key %q%s", key, hint)
		}
	}
	var one place
	err = json.Unmarshal(text, &one)
	return one, err
}

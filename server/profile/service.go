package profile

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"kentongan/alerts/incident"
	"kentongan/geo/area"
)

// Terms are by what an incident of a type in an area, named as area_name, is worked: the zone of the area, the times of the classes, and the
// checklist of the type.
func (p *Profile) Terms(kind, areaName string) incident.Terms {
	out := incident.Terms{Zone: p.SLA.DefaultZone, Service: p.service()}
	for _, z := range p.SLA.Zones {
		if slices.ContainsFunc(p.Areas.Areas(), func(a area.Area) bool { return a.Name == areaName && slices.Contains(z.Areas, a.Code) }) {
			out.Zone = z.Code
		}
	}
	for _, c := range p.Checklists {
		if !slices.Contains(c.Types, kind) {
			continue
		}
		for _, l := range c.Lines {
			out.Checklist = append(out.Checklist, incident.Check{Key: l.Key, ID: l.Names["id"], EN: l.Names["en"]})
		}
	}
	return out
}

// service is the table of classes as incidents are judged by it. Empty: that of domain.md section 4.
func (p *Profile) service() incident.Service {
	minutes := func(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
	out := incident.Service{}
	for _, c := range p.SLA.Classes {
		one := incident.Class{Ack: minutes(c.AckMin), Dispatch: minutes(c.DispatchMin), Resolve: minutes(c.DoneMin), Decision: minutes(c.DecideMin), Scene: map[string]time.Duration{}}
		for zone, n := range c.OnSceneMin {
			one.Scene[zone] = minutes(n)
		}
		out[c.Code] = one
	}
	return out
}

var checkKey = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

func (r *reading) checklists(p *Profile) {
	listed := map[string]bool{}
	for i, c := range p.Checklists {
		path := fmt.Sprintf("checklists[%d]", i)
		for k, code := range c.Types {
			at := fmt.Sprintf("%s.types[%d]", path, k)
			if _, known := incident.TypeOf(code); !known {
				r.bad(at, "%q is none of the incident types", code)
			}
			if listed[code] {
				r.bad(at, "%q has a checklist already", code)
			}
			listed[code] = true
		}
		keys := r.once(path+".lines", "key")
		for k, l := range c.Lines {
			at := fmt.Sprintf("%s.lines[%d]", path, k)
			if !checkKey.MatchString(l.Key) {
				r.bad(at+".key", "%q is not small letters, digits, _ and -", l.Key)
			}
			keys.see(k, l.Key)
			r.words(at+".names", l.Names, p)
		}
	}
}

func (r *reading) service(p *Profile) {
	zones, zoned := r.once("sla.zones", "code"), map[string]string{}
	for i, z := range p.SLA.Zones {
		zones.see(i, z.Code)
		r.words(fmt.Sprintf("sla.zones[%d].names", i), z.Names, p)
		for k, code := range z.Areas {
			path := fmt.Sprintf("sla.zones[%d].areas[%d]", i, k)
			switch in, taken := zoned[code]; {
			case !slices.ContainsFunc(p.Areas.Areas(), func(a area.Area) bool { return a.Code == code }):
				r.bad(path, "there is no area %q", code)
			case taken:
				r.bad(path, "%q lies in %s already", code, in)
			}
			zoned[code] = z.Code
		}
	}
	if _, known := zones.at[p.SLA.DefaultZone]; p.SLA.DefaultZone != "" && !known {
		r.bad("sla.default_zone", "%q is none of the zones", p.SLA.DefaultZone)
	}
	classes := r.once("sla.classes", "code")
	for i, c := range p.SLA.Classes {
		path := fmt.Sprintf("sla.classes[%d]", i)
		classes.see(i, c.Code)
		r.oneOf(path+".code", c.Code, "A", "B", "C", "D", "E")
		r.words(path+".names", c.Names, p)
		for z := range c.OnSceneMin {
			if _, known := zones.at[z]; !known {
				r.bad(path+".on_scene_min."+z, "%q is none of the zones", z)
			}
		}
	}
}

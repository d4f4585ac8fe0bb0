package app

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/rules"
	"kentongan/server/config"
	"kentongan/server/strict"
)

// sift keeps, of rules that the changed file has, those that can run here: one that cannot, and one that is new or changed and names a property that
// no feed has said, is refused with its line and the reason, and the file's rule of before stays. Awaits: a property may yet be said.
func (s *ruleSet) sift(next []rules.Rule) (list []rules.Rule, refused []string, awaits bool) {
	s.mu.Lock()
	before := s.file
	s.mu.Unlock()
	known := s.properties.of(s.app.picture, true)
	said := s.app.picture.Len() > 0 // where nothing has said anything, any property is yet to come
	place := fileLines(s.from.Path())
	for i, r := range next {
		at := slices.IndexFunc(before, func(b rules.Rule) bool { return b.ID == r.ID })
		if at >= 0 && reflect.DeepEqual(before[at], r) {
			list = append(list, r)
			continue
		}
		key, reason := "", ""
		program, err := rules.Compile([]rules.Rule{r}, s.places)
		switch {
		case err != nil: // such as an area of the city that the next start is of
			reason = strings.ReplaceAll(err.Error(), "\n", "; ")
		case said:
			var texts []string
			for _, u := range program.Unknown(known) {
				key, texts = u.Key, append(texts, unsaid(u.Property, known))
			}
			reason, awaits = strings.Join(texts, "; "), awaits || len(texts) > 0
		}
		if reason == "" {
			list = append(list, r)
			continue
		}
		stays := "it is not in force"
		if at >= 0 {
			stays = "the one of before stays in force"
			list = append(list, before[at])
		}
		refused = append(refused, fmt.Sprintf("the configuration file, %s: rule %s: %s; %s", place(i, key), r.ID, reason, stays))
	}
	return list, refused, awaits
}

// unsaid tells that no feed says a property, and which one may be meant.
func unsaid(property string, known []string) string {
	text := fmt.Sprintf("no feed has ever said the property %q", property)
	if near := strict.Nearest(property, known); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return text
}

// fileLines tells where the keys of the rules of a configuration file stand.
func fileLines(path string) func(rule int, key string) string {
	r := strict.New(path)
	if text, err := os.ReadFile(path); err == nil {
		cfg := config.Default()
		r.Read(text, &cfg)
	}
	return func(rule int, key string) string {
		where := fmt.Sprintf("rules[%d]", rule)
		if key != "" {
			where += "." + key
		}
		if line := r.Locate(where).Line; line > 0 {
			return fmt.Sprintf("line %d, %s", line, where)
		}
		return where
	}
}

// noted remembers which state of the file was looked at, and why rules of it are not in force; awaits: to be looked at again without a change.
func (s *ruleSet) noted(stamp, trouble string, awaits bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if trouble != "" && trouble != s.trouble {
		s.log.Error().Msg(trouble)
	}
	s.stamp, s.trouble, s.awaits, s.looked = stamp, trouble, awaits, time.Now()
}

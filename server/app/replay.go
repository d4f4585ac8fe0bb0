package app

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"kentongan/feeds/runner"
)

// How recordings are played, and how many at most.
const (
	replayEvery = 5 * time.Second // between files, which tell no time of their own
	replayHead  = 4 << 10         // bytes of a file that are looked at
	replayMost  = 64
)

// Replay gives the feeds that play a folder of recorded files in place of the feeds that ask outside; pushes stay as they are. Every
// file is looked at; a folder whose files are of one format plays as one feed. All of it is simulated and moved to now.
func Replay(dir string, configured []runner.FeedConfig) ([]runner.FeedConfig, error) {
	var out []runner.FeedConfig
	for _, f := range configured {
		if f.Transport == runner.Push {
			out = append(out, f)
		}
	}
	folders := map[string]map[string]string{} // folder -> file -> format
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != dir && strings.HasPrefix(d.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		format, err := sniff(dir, path)
		if err != nil {
			return err
		}
		in := filepath.Dir(path)
		if folders[in] == nil {
			folders[in] = map[string]string{}
		}
		folders[in][path] = format
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("replay %s: %w", dir, err)
	}
	played := 0
	for _, in := range sortedKeys(folders) {
		for _, f := range recordings(in, folders[in]) {
			f.Name = feedName(dir, f.Path, out)
			if played++; played > replayMost {
				return nil, fmt.Errorf("replay %s: more than %d recordings; give a smaller folder", dir, replayMost)
			}
			out = append(out, f)
		}
	}
	if played == 0 {
		return nil, fmt.Errorf("replay %s: %w", dir, errNothingToPlay)
	}
	return out, nil
}

var errNothingToPlay = errors.New("no file of a format that is known (native NDJSON, CAP, BMKG, USGS)")

// recordings makes one feed of a folder whose files are all of one format, else one of each file that is known.
func recordings(folder string, files map[string]string) []runner.FeedConfig {
	one := runner.DefaultConfig()
	one.Transport, one.Every, one.Simulated, one.Shift = runner.File, replayEvery, true, true
	kinds := map[string]bool{}
	for _, format := range files {
		kinds[format] = true
	}
	var out []runner.FeedConfig
	if len(kinds) == 1 && !kinds[""] && len(files) > 1 {
		for format := range kinds {
			out = append(out, of(one, format, folder))
		}
		return out
	}
	for _, path := range sortedKeys(files) {
		if files[path] == "" {
			continue
		}
		out = append(out, of(one, files[path], path))
	}
	return out
}

// of makes the feed of one recording. Readings are played again and again; documents once, since each pass would move their times anew
// and revise every warning for nothing.
func of(f runner.FeedConfig, format, path string) runner.FeedConfig {
	f.Format, f.Path, f.Attribution = format, path, attributions[format]
	f.Loop = format == "native"
	return f
}

// attributions name whose data a recording is, where its format tells.
var attributions = map[string]string{"bmkg": "Sumber: BMKG", "usgs": "U.S. Geological Survey"}

// sniff tells a file's format by its first bytes, and where they do not tell by its name and its folders below the given one.
func sniff(dir, path string) (string, error) {
	head, err := headOf(path)
	if err != nil {
		return "", err
	}
	relative, _ := filepath.Rel(dir, path)
	name := strings.ToLower(filepath.Join(filepath.Base(dir), relative))
	ext := filepath.Ext(strings.TrimSuffix(name, ".gz"))
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return bytes.Contains(head, []byte(w)) })
	}
	switch ext {
	case ".xml", ".cap", ".rss", ".atom":
		switch {
		case has("urn:oasis:names:tc:emergency:cap", "<rss", "http://www.w3.org/2005/Atom", "incident.gov/cap/1.0"):
			return "cap", nil
		case has("<Infogempa", "<gempa"):
			return "bmkg", nil
		}
		return "", nil
	case ".ndjson", ".jsonl":
		return "native", nil
	case ".json", ".geojson":
		switch {
		case has("Infogempa", `"Tanggal"`, "Kedalaman"):
			return "bmkg", nil
		case has("earthquake.usgs.gov", `"magType"`):
			return "usgs", nil
		case strings.Contains(name, "bmkg"):
			return "bmkg", nil
		case strings.Contains(name, "usgs") && has("FeatureCollection"):
			return "usgs", nil
		case has(`"thing"`, `"record"`):
			return "native", nil
		}
	}
	return "", nil
}

func headOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, nil // not what its name says: not ours to play
		}
	}
	head, err := io.ReadAll(io.LimitReader(r, replayHead))
	if err != nil && len(head) == 0 {
		return nil, nil
	}
	return head, nil
}

var notInName = regexp.MustCompile(`[^a-z0-9]+`)

// feedName makes a name of a recording's file or folder, and keeps names apart.
func feedName(dir, path string, taken []runner.FeedConfig) string {
	relative, err := filepath.Rel(dir, path)
	if err != nil || relative == "." {
		relative = filepath.Base(dir)
	}
	relative = filepath.Base(relative)
	for range 2 { // x.ndjson.gz has two
		relative = strings.TrimSuffix(relative, filepath.Ext(relative))
	}
	name := strings.Trim(notInName.ReplaceAllString(strings.ToLower(relative), "-"), "-")
	if name = name[:min(len(name), 50)]; name == "" {
		name = "rekaman"
	}
	for n := 2; slices.ContainsFunc(taken, func(f runner.FeedConfig) bool { return f.Name == name }); n++ {
		name = fmt.Sprintf("%s-%d", strings.TrimRight(name, "-0123456789"), n)
	}
	return name
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

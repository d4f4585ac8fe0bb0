//go:build !race

package app

import (
	"embed"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
)

//go:embed testdata/matrix
var matrixFiles embed.FS

// grid is a table of testdata/matrix: by row and column a letter, which the head of the file explains.
type grid struct {
	columns []string
	rows    []string // "action|object"
	cells   map[string]map[string]string
	mu      sync.Mutex
	counted map[string]map[string]int // how often a cell was held against the house
}

// sheet reads the lines of a file of testdata/matrix, without remarks.
func sheet(t *testing.T, name string) [][]string {
	t.Helper()
	text, err := matrixFiles.ReadFile("testdata/matrix/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); line != "" && line[0] != '#' {
			out = append(out, strings.Split(line, "\t"))
		}
	}
	return out
}

// readGrid reads a table whose first two columns name the row and whose last gives the reason.
func readGrid(t *testing.T, name string) *grid {
	t.Helper()
	lines := sheet(t, name)
	head := lines[0]
	g := &grid{columns: head[2 : len(head)-1], cells: map[string]map[string]string{}, counted: map[string]map[string]int{}}
	for _, line := range lines[1:] {
		row := line[0] + "|" + line[1]
		if len(line) != len(head) || g.cells[row] != nil {
			t.Fatalf("%s: line %q has %d fields, want %d, or stands twice", name, row, len(line), len(head))
		}
		g.rows, g.cells[row], g.counted[row] = append(g.rows, row), map[string]string{}, map[string]int{}
		for i, column := range g.columns {
			if letter := line[2+i]; len(letter) == 1 && strings.Contains("FACNHDSLX", letter) {
				g.cells[row][column] = letter
			} else {
				t.Fatalf("%s: %s for %s says %q", name, row, column, letter)
			}
		}
	}
	return g
}

// counts notes that a cell was held against the house.
func (g *grid) counts(row, column string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.counted[row][column]++
}

// missed lists the cells that nothing was held against.
func (g *grid) missed() []string {
	var out []string
	for _, row := range g.rows {
		for _, column := range g.columns {
			if g.counted[row][column] == 0 {
				out = append(out, row+" for "+column)
			}
		}
	}
	return out
}

// letters are the kinds of cells, in the order of the summary.
var letters = []string{"F", "A", "C", "N", "H", "X", "D", "S", "L"}

// summary is the table of deploy/SECURITY.md: assertions by subject and kind.
func (g *grid) summary() (text string, total int) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 1, ' ', tabwriter.AlignRight|tabwriter.Debug)
	fmt.Fprintln(w, "subject\t"+strings.Join(letters, "\t")+"\tall\tunasserted\t")
	sums := map[string]int{}
	line := func(name string, by map[string]int) {
		fmt.Fprint(w, name)
		all := 0
		for _, l := range letters {
			fmt.Fprintf(w, "\t%d", by[l])
			all += by[l]
		}
		fmt.Fprintf(w, "\t%d\t%d\t\n", all, by["none"])
		total = all
	}
	for _, column := range g.columns {
		by := map[string]int{}
		for _, row := range g.rows {
			n := g.counted[row][column]
			by[g.cells[row][column]] += n
			if n == 0 {
				by["none"]++
			}
		}
		for k, n := range by {
			sums[k] += n
		}
		line(column, by)
	}
	line("all", sums)
	_ = w.Flush()
	return b.String(), total
}

// differences are cells in which the house is known to differ from the table, each with its reason. One that differs no more fails too.
type differences struct {
	mu   sync.Mutex
	says map[string]string // "action|object|subject" to "letter reason"
	met  map[string]bool
}

func readDifferences(t *testing.T, name string) *differences {
	t.Helper()
	d := &differences{says: map[string]string{}, met: map[string]bool{}}
	for _, line := range sheet(t, name) {
		if len(line) != 4 {
			t.Fatalf("%s: %q", name, line)
		}
		for _, subject := range strings.Fields(line[2]) {
			d.says[line[0]+"|"+line[1]+"|"+subject] = line[3]
		}
	}
	return d
}

// known tells whether a difference is one of those.
func (d *differences) known(cell string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.says[cell]
	d.met[cell] = d.met[cell] || ok
	return ok
}

func (d *differences) mended() []string {
	var out []string
	for _, cell := range slices.Sorted(maps.Keys(d.says)) {
		if !d.met[cell] {
			out = append(out, cell)
		}
	}
	return out
}

// tell writes the summary where somebody asks for it.
func tell(t *testing.T, name, text string) {
	t.Logf("%s\n%s", name, text)
	if file := os.Getenv("MATRIX_SUMMARY"); file != "" {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(name + "\n" + text + "\n"); err != nil {
			t.Fatal(err)
		}
	}
}

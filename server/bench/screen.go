package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// benchScreen measures the wall's page in a real browser that draws by software: main-thread time under moving Things, cells that change their colour and
// incidents at work, the way of an incident to the glass, and the slope of the heap over `soak`.
func benchScreen(_ string, short bool, soak time.Duration) ([]figure, error) {
	runs := 3
	if short {
		runs, soak = 1, time.Minute
	}
	cmd := exec.Command("node", "e2e/screen.mjs", strconv.Itoa(runs), strconv.FormatFloat(soak.Minutes(), 'f', -1, 64))
	cmd.Dir, cmd.Stderr = "frontend", os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("e2e/screen.mjs: %w", err)
	}
	var all []figure
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var f struct{ Figure, Goal, Got string }
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			continue // what is no figure is no line of the table
		}
		all = append(all, figure{f.Figure, f.Goal, f.Got})
	}
	if err := cmd.Wait(); err != nil {
		return all, fmt.Errorf("e2e/screen.mjs: %w", err)
	}
	return all, nil
}

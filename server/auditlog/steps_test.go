package auditlog

import (
	"regexp"
	"strconv"
	"testing"

	"kentongan/alerts/audit"
)

// TestARecordCostsFewCommands counts what a record without a document asks of the store, within its one step.
func TestARecordCostsFewCommands(t *testing.T) {
	h := newHouse(t)
	record := func() {
		t.Helper()
		if err := h.cases.Record(t.Context(), audit.Record{Actor: "user:anna", Action: "reporter.revealed", Object: "report:1", Reason: "menelepon kembali"}); err != nil {
			t.Fatal(err)
		}
	}
	record()
	calls := func() (n int) {
		for _, m := range regexp.MustCompile(`cmdstat_(?:type|xlen|get|incr|hset|xadd|hget|hmget|xrevrange):calls=(\d+)`).FindAllStringSubmatch(h.rdb.Info(t.Context(), "commandstats").Val(), -1) {
			one, _ := strconv.Atoi(m[1])
			n += one
		}
		return n
	}
	before := calls()
	record()
	if n := calls() - before; n > 4 { // a look at the log, the words, a number, the record
		t.Errorf("%d commands", n)
	}
}

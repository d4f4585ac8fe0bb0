package api

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// Handlers reach incidents, reports and Things through the view of object.go alone: nothing is answered that nobody asked Can about.
func TestNobodyReachesPastTheView(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"Alerts", "AuditLog", "Plans", "Plan", "Announce", "EditPlan", "CancelPlan", "Statements", "Statement", "Declare", "Withdraw",
		"Suggestions", "Suggestion", "AcceptSuggestion", "RefuseSuggestion", "AreaStatus", "SetStatus", "RevertStatus", "StatusHistory"} // of Cases: what has a right of its own, for all of it
	allowed = append(allowed, "Alarms", "Alarm", "AlarmHealth", "AcknowledgeAlarm", "ShelveAlarm", "UnshelveAlarm")                     // each judged by its file: scope.Alarm
	allowed = append(allowed, "Units", "Dispatches", "Dispatch", "Send", "Move")                                                        // each judged by its file: scope.Unit, scope.Dispatch
	allowed = append(allowed, "Ring", "Calls", "TakeCall", "Contacts", "AddContact", "EditContact", "DropContact")                      // each judged by its file: scope.Call, scope.Contact
	allowed = append(allowed, "Unit", "EnterUnits", "EditUnit", "CallForHelp", "ClearCall", "AnswerRollCall", "Receipt")                // as Units and Dispatch
	allowed = append(allowed, "Webhooks", "Webhook", "AddWebhook", "RemoveWebhook", "Deliveries", "Resend", "Subscribe", "Unsubscribe") // a right of their own; subscriptions are one's own
	allowed = append(allowed, "Ticket", "ByTicket", "Contest", "Affirm")                                                                // of ticket.go: the code is the right
	for _, f := range files {
		name := f.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "object.go" || name == "object_acts.go" || name == "object_figures.go" || name == "object_reports.go" || name == "object_together.go" || name == "object_places.go" {
			continue
		}
		tree, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		fine := map[ast.Node]bool{}
		ast.Inspect(tree, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if room, ok := sel.X.(*ast.SelectorExpr); ok && room.Sel.Name == "Cases" && slices.Contains(allowed, sel.Sel.Name) {
				fine[room] = true
			}
			if slices.Contains([]string{"Cases", "Picture", "Cells"}, sel.Sel.Name) && ofServer(sel.X) && !fine[sel] {
				t.Errorf("%s reaches %s: only object.go may, behind Can", name, sel.Sel.Name)
			}
			return true
		})
	}
}

// ofServer tells the server and its Deps: s, v.s, t.s, d, s.Deps.
func ofServer(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name == "s" || x.Name == "d"
	case *ast.SelectorExpr:
		return x.Sel.Name == "s" || x.Sel.Name == "Deps"
	}
	return false
}

package api

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/audit"
	"kentongan/alerts/audit/tree"
	"kentongan/alerts/store"
	"kentongan/server/access"
	"kentongan/server/auditlog"
	"kentongan/server/problem"
)

// AuditLog is the log of acts that nobody can bend.
type AuditLog interface {
	Key() string
	Checkpoint(ctx context.Context) ([]byte, tree.Checkpoint, error)
	Of(ctx context.Context, object string) ([]int64, error)
	Proof(ctx context.Context, seq int64) ([]byte, tree.Proof, error)
	Tiles(ctx context.Context, want []tree.Tile) ([][]byte, error)
	Checkpoints(ctx context.Context) ([]string, error)
	Record(ctx context.Context, r audit.Record) error
	Export(ctx context.Context, w io.Writer, by string) error
	Check(ctx context.Context) (auditlog.Checked, error)
	LastChecked() (auditlog.Checked, bool)
}

// Paths of the log.
const (
	auditRoot  = "/api/v1/audit"
	exportTime = 10 * time.Minute
)

// audit registers the log: what the world may read of it, and what auditors may.
func (s *server) audit() {
	operation(s, needs(access.ReadAudit), "GET", auditRoot, "audit", "Audit records, the newest first", http.StatusOK, s.listAudit)
	operation(s, needs(access.ReadAudit).within(time.Minute), "POST", auditRoot+"/check", "audit-check", "Hold the whole store against the whole log", http.StatusOK, s.checkAudit)
	operation(s, needs(access.ReadAudit), "GET", auditRoot+"/check", "audit-checked", "How the last check of the store against the log came out", http.StatusOK, s.checkedAudit)
	operation(s, needs(access.ReadAudit), "GET", auditRoot+"/proof/{seq}", "audit-proof", "A record with its proof (C2SP tlog-proof)", http.StatusOK, s.proveAudit)
	s.rawAudit("/checkpoint", anyone(), "The last signed checkpoint of the log (C2SP tlog-checkpoint), size 0 at the beginning", "text/plain", s.auditCheckpoint)
	s.rawAudit("/key", anyone(), "The public key of the log (note verifier key)", "text/plain", s.auditKey)
	s.rawAudit("/tile/{path...}", anyone(), "Hashes of the log (C2SP tlog-tiles); bundles of records are not served", "application/octet-stream", s.auditTile)
	s.rawAudit("/checkpoints", needs(access.ReadAudit), "The checkpoints that are kept, one of each hour, and the last, one behind the other", "text/plain", s.auditCheckpoints)
	s.rawAudit("/export.jsonl", needs(access.ReadAudit).within(exportTime), "The whole log up to its last checkpoint, for kentongan audit verify; that it was taken is recorded", "application/jsonl", s.auditExport)
	s.rawAudit("/export.csv", needs(access.ReadAudit).within(exportTime), "Records for a spreadsheet, by the filters of the list; that they were taken is recorded", "text/csv", s.auditCSV)
}

// rawAudit registers a route that huma does not serve, for it answers no JSON.
func (s *server) rawAudit(path string, who policy, summary, kind string, serve http.HandlerFunc) {
	s.table.handle("GET "+auditRoot+path, who, serve)
	doc := &huma.Operation{Method: "GET", Path: auditRoot + path, OperationID: "audit" + strings.NewReplacer("/", "-", ".", "-", "{path---}", "path").Replace(path), Summary: summary, Responses: map[string]*huma.Response{
		"200": {Description: summary, Content: map[string]*huma.MediaType{kind: {}}}, "503": {Description: "The store does not answer now"},
	}}
	if strings.HasSuffix(path, "{path...}") {
		doc.Parameters = []*huma.Param{{Name: "path...", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}}
	}
	s.docs.OpenAPI().AddOperation(doc)
}

type auditIn struct {
	From   time.Time `query:"from" doc:"At or after"`
	To     time.Time `query:"to" doc:"Before"`
	Actor  string    `query:"actor" maxLength:"200" doc:"Who acted: user:01J…, or the beginning of it"`
	Action string    `query:"action" maxLength:"100" doc:"incident.closed, or the beginning of it: incident."`
	Object string    `query:"object" maxLength:"300" doc:"incident:01J…, or the beginning of it"`
	Agency string    `query:"agency" maxLength:"64"`
	Q      string    `query:"q" maxLength:"200" doc:"Words that stand somewhere in the record"`
	Limit  int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page   string    `query:"page"`
}

// wants tells whether a record is asked for.
func (in *auditIn) wants(r *audit.Record) bool {
	if !strings.HasPrefix(r.Actor, in.Actor) || !strings.HasPrefix(r.Action, in.Action) || !strings.HasPrefix(r.Object, in.Object) || in.Agency != "" && r.Agency != in.Agency {
		return false
	}
	if in.Q == "" {
		return true
	}
	all := strings.ToLower(strings.Join([]string{r.Actor, r.OnBehalf, r.Agency, r.Action, r.Object, r.Reason, r.Request}, "\x00"))
	for word := range strings.FieldsSeq(strings.ToLower(in.Q)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

func (s *server) listAudit(ctx context.Context, in *auditIn) (*body[List[audit.Record]], error) {
	items, next, err := s.Cases.AuditLog(ctx, in.From, in.To, in.Limit, in.Page, in.wants)
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(items, next), nil
}

func (s *server) checkAudit(ctx context.Context, _ *struct{}) (*body[auditlog.Checked], error) {
	c, err := s.AuditLog.Check(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	return &body[auditlog.Checked]{c}, nil
}

func (s *server) checkedAudit(context.Context, *struct{}) (*body[auditlog.Checked], error) {
	c, ok := s.AuditLog.LastChecked()
	if !ok {
		return nil, problem.New(problem.NotChecked, "this server has not checked yet: it does every 20 seconds where it keeps house")
	}
	return &body[auditlog.Checked]{c}, nil
}

// proofOut is one record and all that shows it to be in the log.
type proofOut struct {
	Seq    int64  `json:"seq"`
	Record string `json:"record" doc:"Its canonical form, byte for byte"`
	Proof  string `json:"proof" doc:"C2SP tlog-proof: index, hashes, signed checkpoint"`
}

func (s *server) proveAudit(ctx context.Context, in *struct {
	Seq int64 `path:"seq" minimum:"1"`
}) (*body[proofOut], error) {
	p, err := s.proof(ctx, in.Seq)
	if err != nil {
		return nil, err
	}
	return &body[proofOut]{p}, nil
}

func (s *server) proof(ctx context.Context, seq int64) (proofOut, error) {
	record, proof, err := s.AuditLog.Proof(ctx, seq)
	switch {
	case caused(err) != nil:
		return proofOut{}, caused(err)
	case err != nil:
		return proofOut{}, s.fault(err)
	}
	return proofOut{seq, string(record), string(proof.Text())}, nil
}

func (s *server) auditCheckpoint(w http.ResponseWriter, r *http.Request) {
	text, _, err := s.AuditLog.Checkpoint(r.Context())
	if err != nil {
		s.auditBusy(w, err)
		return
	}
	plainText(w, "no-cache", text)
}

func (s *server) auditKey(w http.ResponseWriter, _ *http.Request) {
	plainText(w, "no-cache", []byte(s.AuditLog.Key()+"\n"))
}

func plainText(w http.ResponseWriter, cache string, text []byte) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", cache)
	_, _ = w.Write(text)
}

func (s *server) auditBusy(w http.ResponseWriter, err error) {
	s.Log.Warn().Err(err).Msg("audit log")
	w.Header().Set("Retry-After", "1")
	tell(w, problem.AuditUnreadable, "")
}

// auditTile serves hashes, which tell nothing of the records. Bundles of records (tile/entries/) are for auditors: they ask for an export.
func (s *server) auditTile(w http.ResponseWriter, r *http.Request) {
	t, err := tree.ParseTile("tile/" + r.PathValue("path"))
	if err != nil || t.Level == tree.Entries {
		tell(w, problem.NotFound, "tiles of hashes only, as C2SP tlog-tiles writes their paths")
		return
	}
	list, err := s.AuditLog.Tiles(r.Context(), []tree.Tile{t})
	switch {
	case errors.Is(err, store.ErrNoRecord):
		tell(w, problem.NotFound, "there is no such tile yet")
		return
	case err != nil:
		s.auditBusy(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=86400")
	_, _ = w.Write(list[0])
}

func (s *server) auditCheckpoints(w http.ResponseWriter, r *http.Request) {
	list, err := s.AuditLog.Checkpoints(r.Context())
	if err != nil {
		s.auditBusy(w, err)
		return
	}
	last, _, err := s.AuditLog.Checkpoint(r.Context())
	if err != nil {
		s.auditBusy(w, err)
		return
	}
	attached(w, "checkpoints.txt", "text/plain; charset=utf-8")
	for _, text := range append(list, string(last)) {
		_, _ = io.WriteString(w, text+"\n")
	}
}

func attached(w http.ResponseWriter, name, kind string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
}

// exported keeps in the log who has taken the log away; without that nobody does.
func (s *server) exported(r *http.Request, form string) error {
	who := actor(r.Context())
	return s.AuditLog.Record(r.Context(), audit.Record{Actor: who.Subject, Agency: who.Agency, Action: "audit.exported", Object: "audit:" + form, Reason: r.URL.RawQuery, Request: who.Request})
}

// auditExport gives the whole log for kentongan audit verify.
func (s *server) auditExport(w http.ResponseWriter, r *http.Request) {
	if err := s.exported(r, "jsonl"); err != nil {
		s.auditBusy(w, err)
		return
	}
	attached(w, "audit-"+s.Now().UTC().Format("20060102T150405Z")+".jsonl", "application/jsonl")
	if err := s.AuditLog.Export(r.Context(), w, actor(r.Context()).Subject); err != nil { // an export that ends before its last checkpoint shows that it is not whole
		s.Log.Warn().Err(err).Msg("export of the audit log")
	}
}

// auditCSV gives records for a spreadsheet, the newest first, by the filters of the list.
func (s *server) auditCSV(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	in := auditIn{Actor: q.Get("actor"), Action: q.Get("action"), Object: q.Get("object"), Agency: q.Get("agency"), Q: q.Get("q")}
	for _, f := range []struct {
		name string
		at   *time.Time
	}{{"from", &in.From}, {"to", &in.To}} {
		if text := q.Get(f.name); text != "" {
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				problem.Write(w, problem.New(problem.Invalid, f.name+" is no time", problem.AtLimit("query."+f.name, problem.Type, "time", fmt.Sprintf("%.40q is not like 2026-03-01T05:00:00Z", text))))
				return
			}
			*f.at = at
		}
	}
	if err := s.exported(r, "csv"); err != nil {
		s.auditBusy(w, err)
		return
	}
	attached(w, "audit-"+s.Now().UTC().Format("20060102T150405Z")+".csv", "text/csv; charset=utf-8")
	out := csv.NewWriter(w)
	defer out.Flush()
	_ = out.Write([]string{"seq", "time", "actor", "on_behalf_of", "agency", "action", "object", "reason", "before_hash", "after_hash", "request"})
	for page := ""; ; {
		list, next, err := s.Cases.AuditLog(r.Context(), in.From, in.To, 1000, page, in.wants)
		if err != nil {
			s.Log.Warn().Err(err).Msg("export of the audit log")
			_ = out.Write([]string{"", "", "", "", "", "export.broken", "", "the export ends here: the store did not answer", "", "", ""})
			return
		}
		for _, a := range list {
			row := []string{strconv.FormatInt(a.Seq, 10), a.Time.Format(time.RFC3339Nano), a.Actor, a.OnBehalf, a.Agency, a.Action, a.Object, a.Reason, a.BeforeHash, a.AfterHash, a.Request}
			for i := range row {
				row[i] = harmless(row[i])
			}
			_ = out.Write(row)
		}
		if page = next; page == "" {
			return
		}
	}
}

// harmless keeps a spreadsheet from taking a text for a formula (OWASP CSV Injection): an apostrophe goes before what could begin one.
func harmless(text string) string {
	if text != "" && strings.ContainsAny(string([]rune(text)[:1]), "=+-@\t\r\n|＝＋－＠") {
		return "'" + text
	}
	return text
}

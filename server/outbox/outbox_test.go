package outbox

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/notify"
	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/geo"
	"kentongan/geo/redistest"
	"kentongan/server/access"
	"kentongan/server/seal"
)

const waits = 20 * time.Second

var anna = audit.Actor{Subject: "user:anna"}

// house is a store with an outbox, whose receivers may be on loopback.
type house struct {
	*testing.T
	cases *store.Store
	box   *Box
}

func newHouse(t *testing.T, allowPrivate bool) *house {
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	ring, err := seal.Open(filepath.Join(t.TempDir(), "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t}
	h.cases = store.New(rdb, keys, store.Options{Place: alerts.Place{Center: geo.Position{Lat: -0.96, Lng: 100.75}, Sender: "kentongan:test"}, Prefix: "SLK", Zone: time.UTC, Now: time.Now, Log: zerolog.Nop()})
	h.box = New(Deps{Store: rdb, Keys: keys, Seal: ring, Config: Config{AllowPrivate: allowPrivate, Timeout: 300 * time.Millisecond}, Now: time.Now, Log: zerolog.Nop(),
		Holder: func(_ context.Context, s *notify.Subscription) (access.Subject, error) {
			return access.Subject{ID: s.Subject, Unit: s.Unit}, nil
		}})
	return h
}

// run lets the readers and the sender work until the test ends, or stop is called.
func (h *house) run() (stop func()) {
	ctx, cancel := context.WithCancel(h.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if err := h.cases.Read(ctx, h.cases.OutboxReader(h.box.Compose, h.box.Poke)); err != nil {
			h.Error(err)
		}
	})
	all.Go(func() { h.box.Run(ctx, h.cases) })
	stop = sync.OnceFunc(func() { cancel(); all.Wait() })
	h.Cleanup(stop)
	return stop
}

func (h *house) hook(id, url string) {
	h.Helper()
	sealed, err := h.box.SealSecret([]byte("secret of "+id), id)
	if err != nil {
		h.Fatal(err)
	}
	if err := h.cases.AddWebhook(h.Context(), notify.Webhook{V: 1, ID: id, Name: id, URL: url, Secret: sealed}, anna); err != nil {
		h.Fatal(err)
	}
}

func (h *house) incident() incident.Incident {
	h.Helper()
	lng, lat := 100.75, -0.96
	in, err := h.cases.Create(h.Context(), incident.Draft{Type: "flood", Lng: &lng, Lat: &lat, Note: "kata orang"}, anna)
	if err != nil {
		h.Fatal(err)
	}
	return in
}

// until waits for something to hold, and says of what it waited in vain.
func (h *house) until(what string, holds func() bool) {
	h.Helper()
	for end := time.Now().Add(waits); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			h.Fatalf("waited for: %s", what)
		}
	}
}

func (h *house) delivery(to string) (d notify.Delivery, found bool) {
	h.Helper()
	list, err := h.cases.Deliveries(h.Context(), to, 10)
	if err != nil {
		h.Fatal(err)
	}
	if len(list) == 0 {
		return d, false
	}
	return list[len(list)-1], true
}

type got struct {
	header http.Header
	body   string
}

// receiver answers by a function, and remembers what it got.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	all []got
}

func newReceiver(t *testing.T, answer func(n int, w http.ResponseWriter, r *http.Request)) *receiver {
	rec := &receiver{}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		rec.mu.Lock()
		rec.all = append(rec.all, got{r.Header.Clone(), string(b)})
		n := len(rec.all)
		rec.mu.Unlock()
		answer(n, w, r)
	}))
	t.Cleanup(rec.CloseClientConnections)
	t.Cleanup(rec.Close)
	return rec
}

func (r *receiver) got() []got { r.mu.Lock(); defer r.mu.Unlock(); return append([]got{}, r.all...) }

func status(code int) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// Each kind of bad receiver gets its own outcome, and none of them holds up the good one.
func TestReceiversThatFailHoldNobodyElse(t *testing.T) {
	h := newHouse(t, true)
	good := newReceiver(t, status(204))
	gone := newReceiver(t, status(410))
	twice := newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			w.WriteHeader(500)
		}
	})
	end := make(chan struct{})
	hangs := newReceiver(t, func(_ int, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-end:
		}
	})
	defer close(end)
	elsewhere := newReceiver(t, func(_ int, w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, good.URL, http.StatusFound) })
	tls := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	tls.Config.ErrorLog = nil
	t.Cleanup(tls.Close)
	for id, url := range map[string]string{"good": good.URL, "gone": gone.URL, "twice": twice.URL, "hangs": hangs.URL, "elsewhere": elsewhere.URL, "tls": tls.URL, "metadata": "http://169.254.169.254/latest"} {
		h.hook(id, url)
	}
	h.run()
	h.until("the reader has begun", func() bool { at, err := h.cases.ReaderAt(t.Context(), "outbox"); return err == nil && at >= 0 })
	in := h.incident()
	ends := func(id string, holds func(d notify.Delivery) bool) func() bool {
		return func() bool { d, ok := h.delivery("webhook:" + id); return ok && holds(d) }
	}
	for id, holds := range map[string]func(notify.Delivery) bool{
		"good":      func(d notify.Delivery) bool { return d.State == notify.Sent && d.Tries == 1 },
		"gone":      func(d notify.Delivery) bool { return d.State == notify.Dead && d.Status == 410 && d.Tries == 1 },
		"twice":     func(d notify.Delivery) bool { return d.State == notify.Sent && d.Tries == 2 },
		"hangs":     func(d notify.Delivery) bool { return d.State == notify.Pending && d.Error == "no answer in time" },
		"elsewhere": func(d notify.Delivery) bool { return d.State == notify.Pending && d.Status == 302 },
		"tls": func(d notify.Delivery) bool {
			return d.State == notify.Pending && strings.Contains(d.Error, "certificate")
		},
		"metadata": func(d notify.Delivery) bool { return d.State == notify.Dead && strings.Contains(d.Error, "link-local") },
	} {
		h.until(id, ends(id, holds))
	}
	if w, err := h.cases.Webhook(t.Context(), "gone"); err != nil || w.Off == "" {
		t.Errorf("a webhook that is gone: %+v, %v", w, err)
	}
	again := twice.got()
	if len(again) != 2 || again[0].header.Get("Webhook-Id") != again[1].header.Get("Webhook-Id") || again[0].body != again[1].body {
		t.Errorf("sent again as another message: %+v", again)
	}
	all := good.got()
	if len(all) != 1 {
		t.Fatalf("%d messages, one through a redirect: %+v", len(all), all)
	}
	var said struct {
		Type string
		Data struct{ Incident incident.Incident }
	}
	if err := json.Unmarshal([]byte(all[0].body), &said); err != nil || said.Type != "incident.created" || said.Data.Incident.ID != in.ID {
		t.Errorf("%v: %s", err, all[0].body)
	}
	if strings.Contains(all[0].body, "kata orang") {
		t.Errorf("a person's words leave: %s", all[0].body)
	}
	var second int64
	if err := json.Unmarshal([]byte(all[0].header.Get("Webhook-Timestamp")), &second); err != nil {
		t.Fatal(err)
	}
	if want := Signature([]byte("secret of good"), all[0].header.Get("Webhook-Id"), time.Unix(second, 0), all[0].body); all[0].header.Get("Webhook-Signature") != want {
		t.Errorf("signed %s, want %s", all[0].header.Get("Webhook-Signature"), want)
	}
}

// A server that is killed while it sends, or before, leaves the message: the next one sends it under the same id.
func TestWhatWasUnderWayIsSentAgainUnderItsID(t *testing.T) {
	h := newHouse(t, true)
	first := make(chan struct{}, 1)
	rec := newReceiver(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			first <- struct{}{}
			<-r.Context().Done()
		}
	})
	h.hook("a", rec.URL)
	h.box.cfg.Timeout = waits
	stop := h.run()
	h.until("the reader has begun", func() bool { at, err := h.cases.ReaderAt(t.Context(), "outbox"); return err == nil && at >= 0 })
	h.incident()
	select {
	case <-first:
	case <-time.After(waits):
		t.Fatal("nothing was sent")
	}
	stop()
	h.run()
	h.until("it is sent again", func() bool { d, ok := h.delivery("webhook:a"); return ok && d.State == notify.Sent })
	all := rec.got()
	if len(all) != 2 || all[0].header.Get("Webhook-Id") != all[1].header.Get("Webhook-Id") {
		t.Errorf("%d messages: %+v", len(all), all)
	}
}

// A message that cannot be read is not forgotten: it is looked at again some minutes later, and holds up no other meanwhile.
func TestAnUnreadableMessageWaits(t *testing.T) {
	h := newHouse(t, true)
	rec := newReceiver(t, status(503))
	h.hook("a", rec.URL)
	stop := h.run()
	h.until("the reader has begun", func() bool { at, err := h.cases.ReaderAt(t.Context(), "outbox"); return err == nil && at >= 0 })
	h.incident()
	h.until("it is tried", func() bool { d, ok := h.delivery("webhook:a"); return ok && d.Tries > 0 })
	stop()
	d, _ := h.delivery("webhook:a")
	rdb, keys, due := h.box.d.Store, h.box.d.Keys, store.Due{To: d.To, ID: d.ID}
	if err := errors.Join(rdb.Set(t.Context(), keys.OutboxMessage(d.ID), "{", 0).Err(), h.cases.DeferDelivery(t.Context(), due, time.Now())); err != nil {
		t.Fatal(err)
	}
	waiting := func(in time.Duration) bool {
		list, err := h.cases.DueDeliveries(t.Context(), time.Now().Add(in), 0, 10)
		return err == nil && slices.Contains(list, due)
	}
	if !waiting(0) {
		t.Fatal("it is not due")
	}
	h.run()
	h.until("it is put back", func() bool { return !waiting(unreadAgain / 2) })
	if !waiting(2 * unreadAgain) {
		t.Error("it is forgotten")
	}
}

func TestPrivateAddressesAreNotDialled(t *testing.T) {
	h := newHouse(t, false)
	rec := newReceiver(t, status(204))
	h.hook("a", rec.URL)
	h.run()
	h.until("the reader has begun", func() bool { at, err := h.cases.ReaderAt(t.Context(), "outbox"); return err == nil && at >= 0 })
	h.incident()
	h.until("it is refused", func() bool { d, ok := h.delivery("webhook:a"); return ok && d.State == notify.Dead })
	if n := len(rec.got()); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// The keys of RFC 8291, appendix A.
var browser = notify.Subscription{V: 1, ID: "b", P256DH: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", Auth: "BTBZMqHH6r4Tts7J_aSIgg", Subject: "user:crew", Person: "crew", Unit: "bpbd/trc-1", Lang: "en"}

func TestEncryptionIsThatOfRFC8291(t *testing.T) {
	raw := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	ours, err := ecdh.P256().NewPrivateKey(raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
	if err != nil {
		t.Fatal(err)
	}
	const want = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
	out, err := encryptWith(&browser, []byte("When I grow up, I want to be a watermelon"), ours, raw("DGv6ra1nlYgDCS1FRnbzlw"))
	if err != nil || b64.EncodeToString(out) != want {
		t.Errorf("%v: %s", err, b64.EncodeToString(out))
	}
}

// An order rings on its crew's device, which the receipt says; a push service that says 410 is forgotten.
func TestAnOrderRingsAndWritesItsReceipt(t *testing.T) {
	h := newHouse(t, true)
	rings, gone := newReceiver(t, status(201)), newReceiver(t, status(410))
	for id, url := range map[string]string{"b": rings.URL, "c": gone.URL} {
		s := browser
		s.ID, s.Endpoint = id, url+"/push/"+id
		if err := h.cases.Subscribe(t.Context(), s, anna); err != nil {
			t.Fatal(err)
		}
	}
	crew, err := unit.Draft{Agency: "bpbd", CallSign: "trc-1", Capabilities: []string{"trc"}}.Unit(nil, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.cases.ImportUnits(t.Context(), []unit.Unit{crew}, anna); err != nil {
		t.Fatal(err)
	}
	h.run()
	d, err := h.cases.Send(t.Context(), store.Order{Incident: h.incident().ID, Unit: "bpbd/trc-1"}, anna, func(*incident.Incident, *unit.Unit) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	h.until("the receipt", func() bool {
		now, err := h.cases.Dispatch(t.Context(), d.ID)
		return err == nil && !now.Receipt.Sent.IsZero() && now.Receipt.Delivered.IsZero() && now.Version == d.Version
	})
	h.until("410 forgets", func() bool { list, err := h.cases.Subscriptions(t.Context()); return err == nil && len(list) == 1 })
	if now, err := h.cases.Receipt(t.Context(), d.ID, true, time.Time{}, func(*dispatch.Dispatch) error { return nil }); err != nil || now.Receipt.Seen.IsZero() || now.Receipt.Delivered.IsZero() {
		t.Errorf("%+v, %v", now.Receipt, err)
	}
	all := rings.got()
	if len(all) != 1 || all[0].header.Get("Content-Encoding") != "aes128gcm" || all[0].header.Get("TTL") == "" {
		t.Fatalf("%d pushes: %+v", len(all), all)
	}
	key, err := h.box.PushKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	token, said, _ := strings.Cut(strings.TrimPrefix(all[0].header.Get("Authorization"), "vapid t="), ", k=")
	if said != key {
		t.Errorf("key %s, want %s", said, key)
	}
	verify(t, token, key)
}

// verify holds a token against the key (RFC 7515, ES256).
func verify(t *testing.T, token, key string) {
	t.Helper()
	point, err := b64.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	i := strings.LastIndexByte(token, '.')
	sig, err := b64.DecodeString(token[i+1:])
	if err != nil || len(sig) != 64 {
		t.Fatal(err, len(sig))
	}
	sum := sha256.Sum256([]byte(token[:i]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		t.Error("the token is not signed by the key")
	}
}

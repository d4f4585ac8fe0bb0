//go:build !race

package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

const topicSettings = `
listen: 127.0.0.1:0
mqtt_listen: 127.0.0.1:0
profile: solok
feeds:
  - {name: gauge, format: native, transport: mqtt, topic: "gauge/+/up", kind: river_gauge, agency: bpbd}
  - {name: pump, format: native, transport: mqtt, topic: "pump/+/up", kind: river_gauge, agency: damkar}
`

// tries of the columns of topics.tsv that publish: the topic, by which message.
var published = map[string]packets.Publish{
	"own topic": {Topic: "gauge/7/up"}, "own other device": {Topic: "gauge/8/up"}, "retained own": {Topic: "gauge/7/up", Retain: true},
	"other feed": {Topic: "pump/7/up"}, "feed of nobody": {Topic: "siren/7/up"}, "below own": {Topic: "gauge/7/up/deep"},
	"#": {Topic: "gauge/#"}, "+": {Topic: "gauge/+/up"}, "$SYS": {Topic: "$SYS/x"}, "$share": {Topic: "$share/g/gauge/7/up"},
}

// and of those that subscribe.
var subscribed = map[string]string{"subscribe own": "gauge/7/up", "subscribe other": "pump/7/up", "subscribe #": "#", "subscribe $SYS": "$SYS/#", "subscribe $share": "$share/g/gauge/+/up"}

var wills = map[string]string{"Will own": "gauge/7/up", "Will other": "pump/7/up"}

// sender is what somebody shows at the broker.
type sender struct {
	key  string
	pair *tls.Certificate
}

// topics holds the broker of a running house against topics.tsv.
type topics struct {
	t     *testing.T
	r     *running
	roots *x509.CertPool
	n     int
	will  map[string]bool // by the Thing of its reading: whether it shall come true
}

// dial opens a connection and signs in by version 5; nil: it is not let in. It speaks in packets, for a library keeps from us what it would refuse.
func (b *topics) dial(s sender, as, willTopic string, will []byte) net.Conn {
	b.t.Helper()
	cfg := &tls.Config{RootCAs: b.roots, ServerName: "localhost"}
	if s.pair != nil {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.pair, nil }
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", b.r.broker.Addr().String(), cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.n++
	cp := packets.NewControlPacket(packets.CONNECT)
	say := cp.Content.(*packets.Connect)
	say.ClientID, say.CleanStart, say.KeepAlive = fmt.Sprint("matrix-", b.n), true, 30
	if as != "-" {
		say.Username, say.UsernameFlag = as, true
	}
	if s.key != "" {
		say.Password, say.PasswordFlag = []byte(s.key), true
	}
	if will != nil {
		say.WillFlag, say.WillTopic, say.WillQOS, say.WillMessage, say.WillProperties = true, willTopic, 1, will, &packets.Properties{}
	}
	answer, err := exchange(conn, cp)
	if answer != nil && answer.Type == packets.CONNACK {
		if answer.Content.(*packets.Connack).ReasonCode == 0 {
			return conn
		}
	} else { // only what says no is a refusal
		b.t.Errorf("as %s: no answer: %v", as, err)
	}
	_ = conn.Close()
	return nil
}

// exchange says a packet and gives the answer.
func exchange(conn net.Conn, cp *packets.ControlPacket) (*packets.ControlPacket, error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := cp.WriteTo(conn); err != nil {
		return nil, err
	}
	return packets.ReadPacket(conn)
}

func (b *topics) reading() (thing string, body []byte) {
	b.n++
	thing = fmt.Sprint("m", b.n)
	return thing, fmt.Appendf(nil, `{"thing":"%s","property":"water_level","value":1,"lat":-0.83,"lng":100.63}`, thing)
}

// there tells whether a reading has come, by whichever feed.
func (b *topics) there(thing string) bool {
	for _, feed := range []string{"gauge", "pump"} {
		if code, _, _ := over(b.t, b.roots, b.r, "GET", "/api/v1/things/"+feed+":"+thing, nil, asAdmin...); code == http.StatusOK {
			return true
		}
	}
	return false
}

// try does what a column says, as a sender, and gives the letter.
func (b *topics) try(s sender, as, column, want string) string {
	b.t.Helper()
	thing, body := b.reading()
	willTopic, will := wills[column], []byte(nil)
	if willTopic != "" {
		will = body
	}
	conn := b.dial(s, as, willTopic, will)
	if conn == nil {
		return "R"
	}
	defer func() { _ = conn.Close() }() // without DISCONNECT: the line breaks
	if will != nil {                    // what becomes of it is seen at the end
		b.will[thing] = want == "Y"
		return want
	}
	var cp *packets.ControlPacket
	switch filter, one := subscribed[column], published[column]; {
	case column == "connect":
		return "Y"
	case filter != "":
		cp = packets.NewControlPacket(packets.SUBSCRIBE)
		say := cp.Content.(*packets.Subscribe)
		say.PacketID, say.Subscriptions = 1, []packets.SubOptions{{Topic: filter, QoS: 1}}
	default:
		cp = packets.NewControlPacket(packets.PUBLISH)
		say := cp.Content.(*packets.Publish)
		say.PacketID, say.QoS, say.Topic, say.Retain, say.Payload = 1, 1, one.Topic, one.Retain, body
	}
	letter := "?"
	answer, err := exchange(conn, cp)
	var slow net.Error
	switch {
	case errors.As(err, &slow) && slow.Timeout(): // no answer, and no end
	case err != nil || answer.Type == packets.DISCONNECT:
		letter = "E"
	case answer.Type == packets.PUBACK:
		letter = map[byte]string{0: "Y", 0x87: "N"}[answer.Content.(*packets.Puback).ReasonCode]
	case answer.Type == packets.SUBACK:
		if letter = "Y"; answer.Content.(*packets.Suback).Reasons[0] >= 0x80 {
			letter = "N"
		}
	}
	if there := b.there(thing); there != (letter == "Y") {
		return fmt.Sprintf("%s and there: %t", letter, there)
	}
	return letter
}

// key makes one and gives its secret.
func (b *topics) key(of map[string]any) (id, secret string) {
	b.t.Helper()
	of["name"] = "matriks"
	code, made, _ := over(b.t, b.roots, b.r, "POST", "/api/v1/keys", of, asAdmin...)
	if code != http.StatusCreated {
		b.t.Fatal(of, code, made)
	}
	return fmt.Sprint(made["id"]), fmt.Sprint(made["token"])
}

// device lets a gateway of the feed gauge in, bound to one of its topics.
func (b *topics) device() *gateway {
	b.t.Helper()
	g := &gateway{t: b.t, r: b.r, roots: b.roots}
	var err error
	if g.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		b.t.Fatal(err)
	}
	code, made, _ := over(b.t, b.roots, b.r, "POST", "/api/v1/devices", map[string]any{"kind": "broker", "name": "gateway", "feed": "gauge", "topics": []string{"gauge/7/up"}}, asAdmin...)
	if code != http.StatusCreated {
		b.t.Fatal(code, made)
	}
	code, given, _ := over(b.t, b.roots, b.r, "POST", "/api/v1/session/device", map[string]any{"token": made["token"], "csr": g.request()})
	if code != http.StatusOK {
		b.t.Fatal(code, given)
	}
	g.id = fmt.Sprint(given["id"])
	g.carry(fmt.Sprint(given["certificate"]))
	return g
}

// TestMatrixOfTopics holds the broker against topics.tsv: who is let in by what, and what is taken from them.
func TestMatrixOfTopics(t *testing.T) {
	needRedis(t)
	roots, env := secured(t)
	b := &topics{t: t, r: launch(t, "test", topicSettings, append(env, "KENTONGAN_DATA_DIR="+t.TempDir())), roots: roots, will: map[string]bool{}}
	eventually(t, patience, "the broker listens", func() bool { return b.r.broker.Addr() != nil })

	shows := map[string]sender{"admin token": {key: token}, "wrong key": {key: "kt_0000000000_salah"}, "nothing": {}}
	until := time.Now().Add(2 * time.Second)
	ids := map[string]string{}
	for name, of := range map[string]map[string]any{
		"key of own feed": {"scope": "ingest", "feed": "gauge"}, "key of other feed": {"scope": "ingest", "feed": "pump"}, "key of own agency": {"scope": "ingest", "agency": "bpbd"},
		"key in range": {"scope": "ingest", "feed": "gauge", "ranges": []string{"127.0.0.0/8"}}, "key out of range": {"scope": "ingest", "feed": "gauge", "ranges": []string{"10.0.0.0/8"}},
		"revoked key": {"scope": "ingest", "feed": "gauge"}, "expired key": {"scope": "ingest", "feed": "gauge", "expires_at": until.UTC().Format(time.RFC3339Nano)},
		"read key": {"scope": "read"}, "metrics key": {"scope": "metrics"}, "automation key": {"scope": "automation"},
	} {
		id, secret := b.key(of)
		ids[name], shows[name] = id, sender{key: secret}
	}
	bound, removed := b.device(), b.device()
	shows["certificate"], shows["certificate alone"] = sender{pair: bound.pair}, sender{pair: bound.pair}
	shows["certificate and key of own feed"] = sender{pair: bound.pair, key: shows["key of own feed"].key}
	shows["certificate and key of other feed"] = sender{pair: bound.pair, key: shows["key of other feed"].key}
	shows["certificate of removed device"] = sender{pair: removed.pair}
	// What is taken back held before.
	for _, name := range []string{"revoked key", "certificate of removed device"} {
		if letter := b.try(shows[name], "gauge", "own topic", "Y"); letter != "Y" {
			t.Errorf("%s before: %s", name, letter)
		}
	}
	for _, path := range []string{"/api/v1/keys/" + ids["revoked key"], "/api/v1/devices/" + removed.id} {
		if code, doc, _ := over(t, roots, b.r, "DELETE", path, nil, asAdmin...); code != http.StatusNoContent {
			t.Fatal(path, code, doc)
		}
	}
	eventually(t, patience, "a key's time is over", func() bool { return time.Now().After(until.Add(time.Second)) })

	lines := sheet(t, "topics.tsv")
	columns := lines[0][2 : len(lines[0])-1]
	cells, by := 0, map[string]int{}
	for _, line := range lines[1:] {
		s, ok := shows[line[0]]
		if len(line) != len(lines[0]) || !ok {
			t.Fatalf("topics.tsv: %q", line)
		}
		for i, column := range columns {
			want := line[2+i]
			if got := b.try(s, line[1], column, want); got != want {
				t.Errorf("%s as %s, %s: want %s, is %s", line[0], line[1], column, want, got)
			}
			cells++
			by[want]++
		}
	}
	for thing, want := range b.will {
		if want {
			eventually(t, patience, "the Will "+thing+" comes true", func() bool { return b.there(thing) })
		}
	}
	for thing, want := range b.will { // those that come true have, and these would have
		if !want && b.there(thing) {
			t.Errorf("the Will %s has come true, at another's topic", thing)
		}
	}
	tell(t, fmt.Sprintf("broker: %d cells in %d rows", cells, len(lines)-1), fmt.Sprint(by))
}

package stream

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/formats/ais"
)

// BenchmarkTCP sends AIS sentences through a socket; an operation is one line, cut and gathered but not decoded.
func BenchmarkTCP(b *testing.B) {
	const line = "!AIVDM,1,1,,A,33P;Tw0tjBQO22:E7dm66DrB20UP,0*2E\r\n"
	at := make(chan string, 1)
	var bytes, deliveries atomic.Int64
	c := Config{Listen: "127.0.0.1:0", Framing: ais.Format{}.Framing(), Watch: newHouse(), Log: zerolog.Nop(), Bound: func(a net.Addr) { at <- a.String() }}
	ctx, cancel := context.WithCancel(b.Context())
	done := begin(func() {
		_ = NewTCP(c).Run(ctx, func(_ context.Context, body []byte, _ feeds.Meta) (feeds.Outcome, error) {
			bytes.Add(int64(len(body)))
			deliveries.Add(1)
			return feeds.Outcome{}, nil
		})
	})
	defer func() { cancel(); <-done }()
	conn, err := net.Dial("tcp", <-at)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	block := []byte(strings.Repeat(line, 100))
	b.SetBytes(int64(len(line)))
	b.ResetTimer()
	for sent := 0; sent < b.N; sent += 100 {
		if _, err := conn.Write(block[:min(100, b.N-sent)*len(line)]); err != nil {
			b.Fatal(err)
		}
	}
	_ = conn.(*net.TCPConn).CloseWrite()
	_, _ = conn.Read(make([]byte, 1))
	if got := bytes.Load(); got != int64(b.N*len(line)) {
		b.Errorf("%d bytes of %d", got, b.N*len(line))
	}
	b.ReportMetric(float64(b.N)/float64(deliveries.Load()), "lines/delivery")
}

package hub

import (
	"encoding/binary"

	"github.com/gorilla/websocket"
)

// headRoom is left free before a message, for the longest header of a server's frame (RFC 6455, section 5.2).
const headRoom = 10

// framed writes the header right before the message, which begins at headRoom, and gives header and message. Frames of a server are
// not masked, so that all clients share them.
func framed(b []byte, opcode int) []byte {
	n := len(b) - headRoom
	var at int
	switch {
	case n < 126:
		at = headRoom - 2
		b[at+1] = byte(n)
	case n < 1<<16:
		at = headRoom - 4
		b[at+1] = 126
		binary.BigEndian.PutUint16(b[at+2:], uint16(n))
	default:
		at = headRoom - 10
		b[at+1] = 127
		binary.BigEndian.PutUint64(b[at+2:], uint64(n))
	}
	b[at] = 0x80 | byte(opcode)
	return b[at:]
}

// sheet gives room for a message of about n bytes.
func sheet(n int) []byte { return make([]byte, headRoom, headRoom+n) }

var pingFrame = framed(sheet(0), websocket.PingMessage)

func pongFrame(payload string) []byte {
	return framed(append(sheet(len(payload)), payload...), websocket.PongMessage)
}

func closeFrame(code int, reason string) []byte {
	const most = 123 // a control frame holds 125 bytes
	if len(reason) > most {
		reason = reason[:most]
	}
	b := websocket.FormatCloseMessage(code, reason)
	return framed(append(sheet(len(b)), b...), websocket.CloseMessage)
}

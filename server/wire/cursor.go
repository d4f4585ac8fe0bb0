package wire

import (
	"strconv"
	"strings"
)

// Cursor names a place in the case stream: "epoch:offset".
func Cursor(epoch string, offset int64) string { return epoch + ":" + strconv.FormatInt(offset, 10) }

// ParseCursor reads what Cursor wrote; anything else is not ok, which a client hears as resumed false.
func ParseCursor(s string) (epoch string, offset int64, ok bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 1 {
		return "", 0, false
	}
	n, err := strconv.ParseInt(s[i+1:], 10, 64)
	if err != nil || n < 0 {
		return "", 0, false
	}
	return s[:i], n, true
}

package blob

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// The kinds of files that we take.
const (
	Photo = "photo"
	Audio = "audio"
	File  = "file"
)

// ErrKind means that the bytes are not of the kind that they are said to be: 415.
var ErrKind = errors.New("the file is of another kind")

// Sniff tells what bytes are, by themselves: nobody's word is asked. What it does not know is application/octet-stream.
func Sniff(b []byte) string {
	at := func(n int, mark string) bool { return len(b) >= n+len(mark) && string(b[n:n+len(mark)]) == mark }
	switch {
	case at(0, "#!AMR"):
		return "audio/amr"
	case at(0, "OggS"):
		return "audio/ogg"
	case at(0, "RIFF") && at(8, "WAVE"):
		return "audio/wav"
	case at(0, "\x1aE\xdf\xa3") && bytes.Contains(b[:min(len(b), 64)], []byte("webm")):
		return "audio/webm"
	case at(4, "ftypM4A"):
		return "audio/mp4"
	case at(4, "ftyphei"), at(4, "ftyphev"), at(4, "ftypmif1"):
		return "image/heic"
	case at(0, "ID3"), len(b) > 3 && b[0] == 0xFF && b[1]&0xE6 == 0xE2 && b[1] != 0xFF: // a frame of layer III
		return "audio/mpeg"
	}
	kind, _, _ := strings.Cut(http.DetectContentType(b), ";")
	return cmp.Or(kind, "application/octet-stream")
}

// taken are the kinds that we take, by what they are.
var taken = map[string]string{
	"image/jpeg": Photo, "image/png": Photo,
	"audio/amr": Audio, "audio/ogg": Audio, "audio/wav": Audio, "audio/webm": Audio, "audio/mp4": Audio, "audio/mpeg": Audio,
	"application/pdf": File,
}

// Takes says of what bytes must be for a kind.
func Takes(kind string) string {
	return map[string]string{Photo: "JPEG or PNG", Audio: "AMR, MP3, M4A, Ogg, WAV or WebM", File: "PDF"}[kind]
}

// Check gives what bytes are, where they are of the kind that is asked for. Errors: ErrKind, which says what they are.
func Check(kind string, b []byte) (string, error) {
	is := Sniff(b)
	if taken[is] != kind {
		return is, fmt.Errorf("%w: this is %s; a %s is %s", ErrKind, is, kind, Takes(kind))
	}
	return is, nil
}

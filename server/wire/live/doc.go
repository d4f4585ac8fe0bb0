// Package live is the binary wire as protobuf sees it, generated from server/wire/proto.
//
// The server writes these bytes by hand (server/wire/binary.go); tests and the load generator read them through these types.
package live

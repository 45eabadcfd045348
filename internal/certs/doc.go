// Package certs makes certificates and judges those that an administrator hands over.
//
// Making: an [Authority] lives in memory and issues each [Leaf] an experiment needs (valid, expired, another name, wildcard,
// common name only); [SelfSigned] is what `mailmatrix cert generate` writes.
//
// Judging: [Load] accepts X.509 in PEM with its key, and refuses everything else by name; [KindOf] tells the refusals apart.
// [Detect] says what a file is, [Convert] turns it into PEM, [Inspect] describes it.
//
// [EncodePKCS7] and [EncodePKCS12] go the other way: they make files that a server must refuse.
//
// The package keeps no state, reads no clock and touches no file: time and bytes come from the caller. All its functions and
// methods may be used from several goroutines at once.
package certs

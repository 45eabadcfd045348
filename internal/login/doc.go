// Package login is the core of mailmatrix: what a login is, what a policy
// says of it, what may be expected and what a result means.
//
// It is pure: no network, no files, no clock, no goroutines. Everything that
// talks imports it; it imports nobody.
//
// Zero values refuse. A forgotten [Setting] denies, a forgotten [Verdict] is
// unjudged, and an [Outcome] that nobody set is no outcome at all.
package login

// Package mech holds every mechanism, both halves, one file each.
//
// POP3's own two are cast in the same form as the SASL mechanisms, so that
// one exchange serves all: USER/PASS is a name, then a password; APOP is a
// challenge (the greeting's timestamp), then name and digest.
package mech

// Package compliance is the catalogue: numbered requirements on a mail server's
// login, each with its source and the experiment that decides it.
//
// One file is one area, and one literal in it one case. An ID never changes its
// meaning and is never used again: see [Retired].
package compliance

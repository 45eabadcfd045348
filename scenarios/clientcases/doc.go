// Package clientcases is the other half of the catalogue: numbered requirements
// on mail clients, each with its source.
//
// A case is a verdict over situations. A situation is a server in a posture and
// a client that is told how to encrypt and whom to trust; a [Conduct] is what a
// client did there, as the server saw it. So a case is the same for a simulated
// client and for a real one.
//
// One literal is one case. An ID never changes its meaning and is never used
// again: see [Retired].
package clientcases

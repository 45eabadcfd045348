// Package clientsim logs in as mail clients do, each in its own manner.
//
// What a client does is not written in Go. A [Profile] is a file in
// profiles/, one for each client, in which every fact says where it comes
// from and how well it is known; the engine behind [Login] gives it life. The
// engine reports what it saw and holds no opinion.
package clientsim

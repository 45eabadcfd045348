// Package recording reads the recorded logins of real mail clients, makes the
// same record of a simulated one, and says where the two differ.
//
// The recordings, the postures of the server that they were made with, and how
// they were normalised are described in the README that comes with them; "the
// recordings" below are the 973 of recorded-logins.jsonl. Where they and the
// README differ, the recordings win, and the line says so.
package recording

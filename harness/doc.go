// Package harness crosses clients, mechanisms, settings and transports into a
// plan, runs it against a target and returns what was seen and what to think
// of it.
//
// It is a library call: no globals, no output, no flags. Clock, chance and
// progress are injected; a server of your own becomes a target by the two
// methods of [Target]. It knows no SMTP and no POP3.
package harness

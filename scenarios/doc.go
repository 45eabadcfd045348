// Package scenarios holds the experiments that are no cells: relay,
// certificates, start-up, postures, contents, and the controls that frame every
// run, a file for each topic.
//
// A scenario runs against any target: it knows neither our server nor the
// harness that runs it, and it says what it saw, never what to think of it.
package scenarios

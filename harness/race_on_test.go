//go:build race

package harness_test

// underRace: the race detector makes everything about six times slower.
const underRace = true

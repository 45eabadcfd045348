//go:build !race

package harness_test

// underRace: see race_on_test.go.
const underRace = false

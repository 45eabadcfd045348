package main

import (
	"os"
	"path/filepath"

	"github.com/mailmatrix/mailmatrix/harness"
	"github.com/mailmatrix/mailmatrix/harness/policy"
	"github.com/mailmatrix/mailmatrix/internal/login"
	"github.com/mailmatrix/mailmatrix/reports"
)

// readClaimedPolicy reads a policy, and where its file says what. A built-in one
// is no file: the claim is nil.
func readClaimedPolicy(name string) (login.Policy, *reports.Claim, error) {
	var claim *reports.Claim
	declared, err := policy.Load(name, func(name string) ([]byte, error) {
		data, err := os.ReadFile(name) //nolint:gosec // the user names the file
		claim = &reports.Claim{File: claimName(name), Mechanisms: harness.PolicyLines(data)}
		return data, err
	})
	return declared, claim, err
}

// claim is where the file of expectations says what; nil where there is none.
func (e *expectations) claim() *reports.Claim {
	if e.from == "" {
		return nil
	}
	claim := &reports.Claim{File: claimName(e.from)}
	for _, excuse := range e.excuses {
		claim.Entries = append(claim.Entries, reports.ClaimEntry{
			Pattern: excuse.Pattern, Reason: excuse.Reason, Line: excuse.Line(), Matches: excuse.Matcher(),
		})
	}
	return claim
}

// claimName is the file's name as it is shown beside the line: relative to this
// folder if it is below it, as the servers want it that show a repository.
func claimName(name string) string {
	if filepath.IsAbs(name) {
		if here, err := os.Getwd(); err == nil {
			if below, err := filepath.Rel(here, name); err == nil && filepath.IsLocal(below) {
				name = below
			}
		}
	}
	return filepath.ToSlash(filepath.Clean(name))
}

package harness

import "github.com/mailmatrix/mailmatrix/internal/login"

// SecretsOf are the canaries of a run with this seed, for tests that search
// for them.
func SecretsOf(seed uint64) login.Secrets { return newSecrets(Config{Seed: seed}.chance()) }

package harness_test

import (
	"os/exec"
	"testing"
)

// A project of somebody else's writes its own target and embeds the run and
// the ginkgo suite, or checks a fleet of servers, with a replace line only. What it needs and cannot name
// from outside does not compile there.
func TestOutsideModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds another module: not with -short")
	}
	for _, example := range []string{"embed", "fleet"} {
		cmd := exec.Command("go", "test", "./...")
		cmd.Dir = "../examples/" + example
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", example, err, out)
		}
	}
}

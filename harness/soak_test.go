package harness_test

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/mailmatrix/mailmatrix/harness"
)

// TestSoakOfCells runs the matrix again and again on one reference server:
// 1,000,000 cells, or MAILMATRIX_SOAK of them. Memory and goroutines must not
// grow with their number.
func TestSoakOfCells(t *testing.T) {
	if os.Getenv("MAILMATRIX_LOAD") == "" {
		t.Skip("set MAILMATRIX_LOAD=1: it takes some minutes")
	}
	cells := 1_000_000
	if n := os.Getenv("MAILMATRIX_SOAK"); n != "" {
		var err error
		if cells, err = strconv.Atoi(n); err != nil {
			t.Fatal(err)
		}
	}
	target := reference(t)
	p := plan(t, harness.Grid{})
	var heaps []uint64
	var goroutines []int
	for done := 0; done < cells; {
		done += round(t, target, p)
		heap, routines := settled()
		heaps, goroutines = append(heaps, heap), append(goroutines, routines)
		t.Logf("%d cells: heap %d KiB, %d goroutines", done, heap>>10, routines)
	}
	// The first rounds fill memos that are bounded.
	const early = 1
	if len(heaps) <= early+1 {
		t.Fatal("too few rounds to compare")
	}
	first, last := heaps[early], heaps[len(heaps)-1]
	if last > first+first/5+4<<20 {
		t.Errorf("the heap grew from %d to %d KiB", first>>10, last>>10)
	}
	if n := len(goroutines) - 1; goroutines[n] > goroutines[early] {
		t.Errorf("goroutines grew from %d to %d", goroutines[early], goroutines[n])
	}
}

// round runs the plan once and says how many cells it had. The report is gone
// when it returns.
func round(t *testing.T, target harness.Target, p harness.Plan) int {
	t.Helper()
	report := harness.Run(context.Background(), p, harness.Config{Target: target, TargetKind: "reference", Patience: patience})
	if report.ExitStatus() != 0 {
		t.Fatalf("a round fails: %+v", report.Sum())
	}
	return report.Totals.Cells
}

// settled is the heap that is in use, and how many goroutines there are.
func settled() (heap uint64, goroutines int) {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, runtime.NumGoroutine()
}

package reports

import (
	"io"
	"testing"
)

// BenchmarkFormats writes fifty thousand cells in each format.
func BenchmarkFormats(b *testing.B) {
	r := largeReport(50_000)
	for _, f := range All() {
		b.Run(f.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := f.Write(io.Discard, r, Options{Claims: testClaims()}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package interop

import (
	"flag"
	"os"
	"testing"
)

// atOnce is how many tests run side by side, unless -parallel says so. They wait
// for programs (a refused login costs two seconds with Dovecot), so it is more
// than there are processors.
const atOnce = "3"

func TestMain(m *testing.M) {
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", atOnce); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

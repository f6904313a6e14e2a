package ingress

import (
	"flag"
	"os"
	"testing"
)

// These tests wait for time-outs more than they work, so more of them than
// there are cores may run at once.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

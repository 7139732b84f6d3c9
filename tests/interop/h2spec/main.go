// h2spec's cases against one server, strict ones too: a line `ok ID NAME` or `FAILED ID NAME: why`
// or `skipped ID NAME` for each, as run.py reads them.
//
//	h2spec [-tls] HOST:PORT [SECTION]...
//
// With -tls it takes any certificate: that is not what is tested here.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
)

// Long enough for a busy machine: a case that passes only by silence waits this long.
const timeout = 2 * time.Second

func settings(address string, tls bool, sections []string) (*config.Config, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	return &config.Config{
		Host: host, Port: number, Path: "/", Timeout: timeout, MaxHeaderLen: 4000,
		Strict: true, TLS: tls, Insecure: true, Sections: sections,
	}, nil
}

func why(result *spec.TestResult) string {
	if wrong, ok := result.Error.(*spec.TestError); ok {
		return fmt.Sprintf("expected %s; it was %s",
			strings.Join(wrong.Expected, ", or "), wrong.Actual)
	}
	return result.Error.Error()
}

func line(result *spec.TestResult) string {
	test := result.TestCase
	name := fmt.Sprintf("%s/%d %s", test.Parent.ID(), result.Sequence, test.Desc)
	switch {
	case result.Skipped:
		return "skipped " + name
	case result.Failed:
		return "FAILED " + name + ": " + why(result)
	default:
		return "ok " + name
	}
}

func report(out *os.File, group *spec.TestGroup) {
	for _, test := range append(group.Tests, group.StrictTests...) {
		if test.Result != nil {
			fmt.Fprintln(out, line(test.Result))
		}
	}
	for _, below := range group.Groups {
		report(out, below)
	}
}

func main() {
	tls := flag.Bool("tls", false, "over TLS")
	flag.Parse()
	if flag.NArg() < 1 {
		fmt.Fprintln(os.Stderr, "usage: h2spec [-tls] HOST:PORT [SECTION]...")
		os.Exit(2)
	}
	config, err := settings(flag.Arg(0), *tls, flag.Args()[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	out := os.Stdout
	os.Stdout = os.Stderr // the library's own report
	failed := 0
	for _, group := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
		group.Test(config)
		report(out, group)
		failed += group.FailedCount
	}
	if failed > 0 {
		os.Exit(1)
	}
}

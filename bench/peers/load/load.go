// Package load is what the Go clients of the benchmarks share: flags, and a closed loop of calls.
package load

import (
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The flags of every client and server of the benchmarks.
var (
	Address     = flag.String("server_address", "127.0.0.1:50051", "where the server is")
	Certificate = flag.String("tls_cert", "", "a server's certificate")
	Key         = flag.String("tls_key", "", "and its key")
	CA          = flag.String("tls_ca", "", "the certificate that a client trusts")
	Kind        = flag.String("kind", "unary", "unary, pingpong or flood")
	outstanding = flag.Int("outstanding", 64, "calls at a time")
	seconds     = flag.Float64("seconds", 1, "how long to measure")
	bytes       = flag.Int("bytes", 16, "of data in each message")
)

const warmUp = 300 * time.Millisecond

// What one caller has seen.
type tally struct {
	all, counted, failed int
	latencies            []float64
}

// A Load says to its callers when to end, and counts for them.
type Load struct {
	begin, end time.Time
	tallies    []tally
}

// A Caller makes calls, one after the other.
type Caller struct {
	load  *Load
	tally *tally
}

// Runs says whether there is another call to make.
func (c *Caller) Runs() bool { return time.Now().Before(c.load.end) }

// Add counts a call, or a message, that has ended. Those before the warm-up is over do not count.
func (c *Caller) Add(start time.Time, err error) {
	now := time.Now()
	c.tally.all++
	if err != nil {
		c.tally.failed++
		if c.tally.failed == 1 {
			fmt.Fprintln(os.Stderr, "failed:", err)
		}
	}
	if now.Before(c.load.begin) || !now.Before(c.load.end) {
		return
	}
	c.tally.counted++
	if !start.IsZero() {
		c.tally.latencies = append(c.tally.latencies, float64(now.Sub(start))/1e3)
	}
}

// Data is what the messages carry.
func Data() []byte { return []byte(strings.Repeat("x", *bytes)) }

func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// Run has as many callers as the flags say call until the time is over, and prints what that took.
func Run(call func(*Caller)) {
	begin := time.Now().Add(warmUp)
	load := &Load{
		begin: begin, end: begin.Add(time.Duration(*seconds * 1e9)),
		tallies: make([]tally, *outstanding),
	}
	var callers sync.WaitGroup
	for i := range load.tallies {
		callers.Add(1)
		go func(caller *Caller) {
			defer callers.Done()
			call(caller)
		}(&Caller{load, &load.tallies[i]})
	}
	time.Sleep(time.Until(load.begin))
	before := cpu()
	time.Sleep(time.Until(load.end))
	spent := cpu() - before
	callers.Wait()
	print(load, spent)
}

func print(load *Load, spent int64) {
	var sum tally
	for _, one := range load.tallies {
		sum.all += one.all
		sum.counted += one.counted
		sum.failed += one.failed
		sum.latencies = append(sum.latencies, one.latencies...)
	}
	sort.Float64s(sum.latencies)
	perCall := 0.0
	if sum.counted > 0 {
		perCall = float64(spent) / 1e3 / float64(sum.counted)
	}
	fmt.Printf("rate=%.0f p50_us=%.1f p99_us=%.1f client_us=%.2f failed=%d calls=%d\n",
		float64(sum.counted)/load.end.Sub(load.begin).Seconds(), percentile(sum.latencies, 0.50),
		percentile(sum.latencies, 0.99), perCall, sum.failed, sum.all)
	if sum.failed > 0 || sum.counted == 0 {
		os.Exit(1)
	}
}

func percentile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(share*float64(len(sorted)-1))]
}

// Package echo is bench.proto; the rest of it is generated (see run.py).
package echo

// Question is what every client of the benchmarks asks.
func Question(data []byte) *Echo { return &Echo{Name: "greeter-0042", Seq: 77, Data: data} }

// Answer makes of `out` what every server of the benchmarks answers.
func Answer(in, out *Echo) { out.Name, out.Seq, out.Data = in.Name, in.Seq, in.Data }

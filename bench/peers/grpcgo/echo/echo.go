// Package echo is bench.proto; the rest of it is generated (see run.py).
package echo

// What is called.
const (
	Service = "bench.EchoService"
	Unary   = "/bench.EchoService/Unary"
	Stream  = "/bench.EchoService/Stream"
)

// Question is what every client of the benchmarks asks.
func Question(data []byte) *Echo { return &Echo{Name: "greeter-0042", Seq: 77, Data: data} }

// Answer is what every server of the benchmarks answers: a new message of the same content.
func Answer(in *Echo) *Echo { return &Echo{Name: in.Name, Seq: in.Seq, Data: in.Data} }

// A stock grpc-go client that calls a Greeter at an address: a line for each case.
//
//	client DESCRIPTORS ADDRESS
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"micro.test/interop/greeter"
)

type peer struct {
	messages   *greeter.Messages
	connection *grpc.ClientConn
}

// call greets name over path, and says what came back.
func (p *peer) call(ctx context.Context, path, name string, options ...grpc.CallOption) (string, error) {
	response := p.messages.Response("")
	err := p.connection.Invoke(ctx, path, p.messages.Request(name), response, options...)
	return p.messages.Greeting(response), err
}

func (p *peer) greets(ctx context.Context, name string, options ...grpc.CallOption) error {
	greeting, err := p.call(ctx, greeter.Method, name, options...)
	if err == nil && greeting != "Hello "+name {
		return fmt.Errorf("greeting is %.40q, %d bytes", greeting, len(greeting))
	}
	return err
}

func want(code codes.Code, err error) error {
	if status.Code(err) != code {
		return fmt.Errorf("%v expected, not: %v", code, err)
	}
	return nil
}

func (p *peer) contentType(ctx context.Context) error {
	var header metadata.MD
	if err := p.greets(ctx, "John", grpc.Header(&header)); err != nil {
		return err
	}
	if got := header.Get("content-type"); len(got) != 1 || !strings.HasPrefix(got[0], "application/grpc") {
		return fmt.Errorf("content-type is %q", got)
	}
	return nil
}

func (p *peer) unknown(path string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := p.call(ctx, path, "John")
		return want(codes.Unimplemented, err)
	}
}

func (p *peer) metadata(ctx context.Context) error {
	ctx = metadata.AppendToOutgoingContext(ctx, "x-user", "ann", "x-user", "bob",
		"x-raw-bin", "\x00\xff\n", "x-long", strings.Repeat("y", 4000))
	return p.greets(ctx, "John")
}

// deadline opens a call whose request never comes, and then calls on over the same connection.
func (p *peer) deadline(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	stream, err := p.connection.NewStream(short, &grpc.StreamDesc{ClientStreams: true}, greeter.Method)
	if err != nil {
		return err
	}
	if err := want(codes.DeadlineExceeded, stream.RecvMsg(p.messages.Response(""))); err != nil {
		return err
	}
	return p.greets(ctx, "John")
}

func (p *peer) cancelled(ctx context.Context) error {
	ended, cancel := context.WithCancel(ctx)
	stream, err := p.connection.NewStream(ended, &grpc.StreamDesc{ClientStreams: true}, greeter.Method)
	if err != nil {
		cancel()
		return err
	}
	cancel()
	if err := want(codes.Canceled, stream.RecvMsg(p.messages.Response(""))); err != nil {
		return err
	}
	return p.greets(ctx, "John")
}

func (p *peer) tooLarge(ctx context.Context) error {
	_, err := p.call(ctx, greeter.Method, strings.Repeat("x", 5<<20))
	if err := want(codes.ResourceExhausted, err); err != nil {
		return err
	}
	return p.greets(ctx, "John")
}

func (p *peer) crowd(ctx context.Context) error {
	const calls = 500
	failures := make(chan error, calls)
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			if err := p.greets(ctx, fmt.Sprint("John ", i)); err != nil {
				failures <- err
			}
		})
	}
	all.Wait()
	close(failures)
	return <-failures
}

func (p *peer) run() bool {
	good := true
	check := func(name string, test func(context.Context) error) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := test(ctx); err != nil {
			good = false
			fmt.Printf("FAILED %s: %v\n", name, err)
			return
		}
		fmt.Printf("ok %s\n", name)
	}
	greets := func(name string, options ...grpc.CallOption) func(context.Context) error {
		return func(ctx context.Context) error { return p.greets(ctx, name, options...) }
	}
	check("greeting", greets("John"))
	check("empty message", greets(""))
	check("content type", p.contentType)
	check("json", greets("Jöhn", grpc.CallContentSubtype("json")))
	check("1 MiB", greets(strings.Repeat("x", 1<<20)))
	check("gzip", greets(strings.Repeat("x", 1<<20), grpc.UseCompressor(gzip.Name)))
	check("too large", p.tooLarge)
	check("metadata", p.metadata)
	check("unknown method", p.unknown("/helloworld.Greeter/Wave"))
	check("unknown service", p.unknown("/nobody.Nothing/Hello"))
	check("deadline", p.deadline)
	check("cancellation", p.cancelled)
	check("500 calls at once", p.crowd)
	return good
}

func main() {
	messages, err := greeter.Load(os.Args[1])
	if err != nil {
		fmt.Println("FAILED descriptors:", err)
		os.Exit(1)
	}
	connection, err := grpc.NewClient("passthrough:///"+os.Args[2],
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Println("FAILED connection:", err)
		os.Exit(1)
	}
	defer connection.Close()
	if !(&peer{messages, connection}).run() {
		os.Exit(1)
	}
}

// A stock grpc-go Greeter on a free loopback port. Beside greeting it
//
//   - sends request metadata back: x-echo and x-echo-bin, ahead of the answer and behind it;
//
//   - answers "missing" with NOT_FOUND, and "slow" not before the caller's deadline.
//
//     server DESCRIPTORS
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	_ "google.golang.org/grpc/encoding/gzip" // answers as it was asked: compressed or not
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"micro.test/interop/greeter"
)

type server struct{ messages *greeter.Messages }

func echoMetadata(ctx context.Context) error {
	came, _ := metadata.FromIncomingContext(ctx)
	back := metadata.MD{}
	for _, key := range []string{"x-echo", "x-echo-bin"} {
		back.Append(key, came.Get(key)...)
	}
	if err := grpc.SetHeader(ctx, back); err != nil {
		return err
	}
	return grpc.SetTrailer(ctx, back)
}

func (s *server) hello(ctx context.Context, name string) (any, error) {
	if err := echoMetadata(ctx); err != nil {
		return nil, err
	}
	switch name {
	case "missing":
		return nil, status.Error(codes.NotFound, "nobody is called missing: 100% sure, señor")
	case "slow":
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	return s.messages.Response("Hello " + name), nil
}

func handle(this any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	s := this.(*server)
	request := s.messages.Request("")
	if err := decode(request); err != nil {
		return nil, err
	}
	return s.hello(ctx, s.messages.Name(request))
}

func run() error {
	messages, err := greeter.Load(os.Args[1])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := grpc.NewServer()
	served.RegisterService(&grpc.ServiceDesc{
		ServiceName: "helloworld.Greeter",
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Hello", Handler: handle}},
	}, &server{messages})
	fmt.Fprintln(os.Stderr, "listening on", listener.Addr())
	return served.Serve(listener)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

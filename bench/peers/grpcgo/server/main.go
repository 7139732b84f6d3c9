// What we compare with: a grpc-go server as its users write it.
package main

import (
	"context"
	"flag"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"micro.test/bench/grpcgo/echo"
	"micro.test/bench/load"
)

// What protoc-gen-go-grpc would generate.
var description = grpc.ServiceDesc{
	ServiceName: echo.Service,
	HandlerType: (*interface{})(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
	Streams: []grpc.StreamDesc{{
		StreamName: "Stream", Handler: stream, ServerStreams: true, ClientStreams: true,
	}},
}

func unary(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	in := new(echo.Echo)
	if err := decode(in); err != nil {
		return nil, err
	}
	return echo.Answer(in), nil
}

func stream(_ any, calls grpc.ServerStream) error {
	for {
		in := new(echo.Echo)
		if err := calls.RecvMsg(in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := calls.SendMsg(echo.Answer(in)); err != nil {
			return err
		}
	}
}

func main() {
	flag.Parse()
	var options []grpc.ServerOption
	if *load.Certificate != "" {
		tls, err := credentials.NewServerTLSFromFile(*load.Certificate, *load.Key)
		if err != nil {
			panic(err)
		}
		options = append(options, grpc.Creds(tls))
	}
	listener, err := net.Listen("tcp", *load.Address)
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer(options...)
	server.RegisterService(&description, nil)
	if err := server.Serve(listener); err != nil {
		panic(err)
	}
}

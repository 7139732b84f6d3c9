// What we compare with: a go-micro service as its users write it.
package main

import (
	"context"
	"crypto/tls"
	"flag"
	"io"

	"github.com/micro/go-micro/v2/registry/memory"
	"github.com/micro/go-micro/v2/server"
	"github.com/micro/go-micro/v2/server/grpc"

	"micro.test/bench/gomicro/echo"
	"micro.test/bench/load"
)

// EchoService serves bench.proto.
type EchoService struct{}

// Unary answers with what it got.
func (*EchoService) Unary(_ context.Context, in, out *echo.Echo) error {
	echo.Answer(in, out)
	return nil
}

// Stream answers each message with one.
func (*EchoService) Stream(_ context.Context, stream server.Stream) error {
	for {
		var in, out echo.Echo
		if err := stream.Recv(&in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		echo.Answer(&in, &out)
		if err := stream.Send(&out); err != nil {
			return err
		}
	}
}

func main() {
	flag.Parse()
	options := []server.Option{
		server.Name("bench"), server.Address(*load.Address), server.Registry(memory.NewRegistry()),
	}
	if *load.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(*load.Certificate, *load.Key)
		if err != nil {
			panic(err)
		}
		options = append(options, server.TLSConfig(&tls.Config{Certificates: []tls.Certificate{pair}}))
	}
	service := grpc.NewServer(options...)
	if err := service.Handle(service.NewHandler(new(EchoService))); err != nil {
		panic(err)
	}
	if err := service.Start(); err != nil {
		panic(err)
	}
	select {}
}

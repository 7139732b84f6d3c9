// What we compare with: a grpc-go client as its users write it, all calls on one connection.
package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"micro.test/bench/grpcgo/echo"
	"micro.test/bench/load"
)

func check(in, out *echo.Echo, err error) error {
	if err == nil && len(out.Data) != len(in.Data) {
		return fmt.Errorf("%d bytes came back as %d", len(in.Data), len(out.Data))
	}
	return err
}

func unary(connection *grpc.ClientConn) func(*load.Caller) {
	return func(caller *load.Caller) {
		in := echo.Question(load.Data())
		for caller.Runs() {
			start, out := time.Now(), new(echo.Echo)
			err := connection.Invoke(context.Background(), echo.Unary, in, out)
			caller.Add(start, check(in, out, err))
		}
	}
}

func open(connection *grpc.ClientConn) (grpc.ClientStream, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	description := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	stream, err := connection.NewStream(ctx, description, echo.Stream)
	if err != nil {
		panic(err)
	}
	return stream, cancel
}

func pingpong(connection *grpc.ClientConn) func(*load.Caller) {
	return func(caller *load.Caller) {
		stream, cancel := open(connection)
		defer cancel()
		in := echo.Question(load.Data())
		for caller.Runs() {
			start, out := time.Now(), new(echo.Echo)
			err := stream.SendMsg(in)
			if err == nil {
				err = stream.RecvMsg(out)
			}
			caller.Add(start, check(in, out, err))
		}
	}
}

// Writes whatever the stream takes, and counts what comes back.
func flood(connection *grpc.ClientConn) func(*load.Caller) {
	return func(caller *load.Caller) {
		stream, cancel := open(connection)
		defer cancel()
		in := echo.Question(load.Data())
		go func() {
			for caller.Runs() && stream.SendMsg(in) == nil {
			}
			_ = stream.CloseSend()
		}()
		for caller.Runs() {
			out := new(echo.Echo)
			caller.Add(time.Time{}, check(in, out, stream.RecvMsg(out)))
		}
	}
}

func main() {
	flag.Parse()
	transport := insecure.NewCredentials()
	if *load.CA != "" {
		tls, err := credentials.NewClientTLSFromFile(*load.CA, "")
		if err != nil {
			panic(err)
		}
		transport = tls
	}
	connection, err := grpc.NewClient("passthrough:///"+*load.Address,
		grpc.WithTransportCredentials(transport))
	if err != nil {
		panic(err)
	}
	kinds := map[string]func(*grpc.ClientConn) func(*load.Caller){
		"unary": unary, "pingpong": pingpong, "flood": flood,
	}
	load.Run(kinds[*load.Kind](connection))
}

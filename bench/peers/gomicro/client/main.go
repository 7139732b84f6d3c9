// What we compare with: a go-micro client as its users write it, with its own pool of connections.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io/ioutil"
	"time"

	"github.com/micro/go-micro/v2/client"
	"github.com/micro/go-micro/v2/client/grpc"
	"github.com/micro/go-micro/v2/registry/memory"

	"micro.test/bench/gomicro/echo"
	"micro.test/bench/load"
)

func check(in, out *echo.Echo, err error) error {
	if err == nil && len(out.Data) != len(in.Data) {
		return fmt.Errorf("%d bytes came back as %d", len(in.Data), len(out.Data))
	}
	return err
}

func unary(peer client.Client) func(*load.Caller) {
	return func(caller *load.Caller) {
		in := echo.Question(load.Data())
		for caller.Runs() {
			start, out := time.Now(), new(echo.Echo)
			request := peer.NewRequest("bench", "EchoService.Unary", in)
			err := peer.Call(context.Background(), request, out, client.WithAddress(*load.Address))
			caller.Add(start, check(in, out, err))
		}
	}
}

func open(peer client.Client) client.Stream {
	request := peer.NewRequest("bench", "EchoService.Stream", &echo.Echo{}, client.StreamingRequest())
	stream, err := peer.Stream(context.Background(), request, client.WithAddress(*load.Address))
	if err != nil {
		panic(err)
	}
	return stream
}

func pingpong(peer client.Client) func(*load.Caller) {
	return func(caller *load.Caller) {
		stream := open(peer)
		in := echo.Question(load.Data())
		for caller.Runs() {
			start, out := time.Now(), new(echo.Echo)
			err := stream.Send(in)
			if err == nil {
				err = stream.Recv(out)
			}
			caller.Add(start, check(in, out, err))
		}
		_ = stream.Close()
	}
}

// Writes whatever the stream takes, and counts what comes back.
func flood(peer client.Client) func(*load.Caller) {
	return func(caller *load.Caller) {
		stream := open(peer)
		in := echo.Question(load.Data())
		go func() {
			for caller.Runs() && stream.Send(in) == nil {
			}
		}()
		for caller.Runs() {
			out := new(echo.Echo)
			caller.Add(time.Time{}, check(in, out, stream.Recv(out)))
		}
	}
}

func trusted(file string) client.Option {
	text, err := ioutil.ReadFile(file)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(text)
	return grpc.AuthTLS(&tls.Config{RootCAs: pool})
}

func main() {
	flag.Parse()
	options := []client.Option{client.Registry(memory.NewRegistry())}
	if *load.CA != "" {
		options = append(options, trusted(*load.CA))
	}
	kinds := map[string]func(client.Client) func(*load.Caller){
		"unary": unary, "pingpong": pingpong, "flood": flood,
	}
	load.Run(kinds[*load.Kind](grpc.NewClient(options...)))
}

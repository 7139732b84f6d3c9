// A go-micro service as its users write it: flags and discovery are go-micro's own.
package main

import (
	"context"
	goerrors "errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/micro/go-micro/v2"
	"github.com/micro/go-micro/v2/errors"
	"github.com/micro/go-micro/v2/metadata"
	"github.com/micro/go-micro/v2/server"

	"micro.test/gomicro/testee"
)

// Testee serves testee.proto.
type Testee struct{}

// Echo answers with what it got.
func (*Testee) Echo(ctx context.Context, in, out *testee.Note) error {
	if in.Name == "slow" {
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Second):
		}
		return ctx.Err()
	}
	*out = *in
	out.Echo, _ = metadata.Get(ctx, "X-Echo")
	return nil
}

var constructors = map[string]func(id, format string, a ...interface{}) error{
	"BadRequest":          errors.BadRequest,
	"Unauthorized":        errors.Unauthorized,
	"Forbidden":           errors.Forbidden,
	"NotFound":            errors.NotFound,
	"MethodNotAllowed":    errors.MethodNotAllowed,
	"Timeout":             errors.Timeout,
	"Conflict":            errors.Conflict,
	"InternalServerError": errors.InternalServerError,
}

// Fail fails as it is told to.
func (*Testee) Fail(_ context.Context, in *testee.Failure, _ *testee.Note) error {
	switch in.Constructor {
	case "New":
		return errors.New(in.Id, in.Detail, in.Code)
	case "plain":
		return goerrors.New(in.Detail)
	case "panic":
		panic(in.Detail)
	}
	return constructors[in.Constructor](in.Id, "%s", in.Detail)
}

// Count sends as many notes as the first one asks for: what generated code makes of a server
// stream.
func (*Testee) Count(_ context.Context, stream server.Stream) error {
	var in testee.Note
	if err := stream.Recv(&in); err != nil {
		return err
	}
	if in.BigNumber < 0 {
		return errors.BadRequest("gomicro.testee", "cannot count to %d", in.BigNumber)
	}
	for i := int64(1); i <= in.BigNumber; i++ {
		if err := stream.Send(&testee.Note{Name: in.Name, BigNumber: i}); err != nil {
			return err
		}
	}
	return nil
}

// Chat answers each note with one.
func (*Testee) Chat(_ context.Context, stream server.Stream) error {
	for {
		var in testee.Note
		if err := stream.Recv(&in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if in.Name == "fail" {
			return errors.Conflict("gomicro.testee", "told to fail")
		}
		if err := stream.Send(&in); err != nil {
			return err
		}
	}
}

// go-micro's own TLS option: it offers no ALPN.
func serveTLS(service micro.Service, folder string) error {
	if err := testee.MakeCertificate(folder); err != nil {
		return err
	}
	config, err := testee.ServerTLS(folder)
	if err != nil {
		return err
	}
	return service.Server().Init(server.TLSConfig(config))
}

// With TESTEE_TLS, a folder, it makes itself a certificate there and serves with TLS.
func main() {
	service := micro.NewService(micro.Name("gomicro.testee"))
	service.Init(micro.AfterStart(func() error {
		_, port, err := net.SplitHostPort(service.Server().Options().Address)
		if err == nil {
			fmt.Fprintf(os.Stderr, "listening on 127.0.0.1:%s\n", port)
		}
		return err
	}))
	if folder := os.Getenv("TESTEE_TLS"); folder != "" {
		if err := serveTLS(service, folder); err != nil {
			panic(err)
		}
	}
	if err := service.Server().Handle(service.Server().NewHandler(new(Testee))); err != nil {
		panic(err)
	}
	if err := service.Run(); err != nil {
		panic(err)
	}
}

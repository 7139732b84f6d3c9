// A go-micro client against the Testee of others: a line for each case.
//
//	client [go-micro's flags] SERVICE [HOST:PORT]
//
// Without an address it finds the service through the registry. With TESTEE_TLS, a folder, it dials
// with TLS and trusts the certificate there.
package main

import (
	"bytes"
	"context"
	encoding "encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/micro/cli/v2"
	"github.com/micro/go-micro/v2"
	"github.com/micro/go-micro/v2/client"
	"github.com/micro/go-micro/v2/client/grpc"
	"github.com/micro/go-micro/v2/errors"
	"github.com/micro/go-micro/v2/metadata"
	"github.com/micro/go-micro/v2/registry"

	"micro.test/gomicro/testee"
)

type peer struct {
	client  client.Client
	service string
	options []client.CallOption
}

func (p *peer) call(ctx context.Context, method string, in interface{}, contentType string) (*testee.Note, error) {
	request := p.client.NewRequest(p.service, "Testee."+method, in, client.WithContentType(contentType))
	var out testee.Note
	return &out, p.client.Call(ctx, request, &out, p.options...)
}

const (
	proto = "application/protobuf"
	json  = "application/json"
)

func expectEcho(p *peer, contentType string, in testee.Note) error {
	ctx := metadata.NewContext(context.Background(), metadata.Metadata{"X-Echo": "ann"})
	out, err := p.call(ctx, "Echo", &in, contentType)
	if err != nil {
		return err
	}
	in.Echo = "ann"
	if in.String() != out.String() || !bytes.Equal(in.Raw, out.Raw) {
		return fmt.Errorf("%.200s came back as %.200s", in.String(), out.String())
	}
	return nil
}

var note = testee.Note{
	Name: "Jöhn <&> \"x\"\n", BigNumber: -1 << 62, Tags: []string{"", "a"}, Raw: []byte("\x00\xff"),
}

func echoProto(p *peer) error { return expectEcho(p, proto, note) }
func echoJSON(p *peer) error  { return expectEcho(p, json, note) }
func empty(p *peer) error     { return expectEcho(p, json, testee.Note{}) }
func large(p *peer) error {
	return expectEcho(p, proto, testee.Note{Name: strings.Repeat("x", 1<<20)})
}

// The error that came, if it is one of go-micro's.
func microError(err error) (*errors.Error, error) {
	if err == nil {
		return nil, fmt.Errorf("an answer instead of an error")
	}
	found, ok := err.(*errors.Error)
	if !ok {
		return nil, fmt.Errorf("no micro error but %T: %v", err, err)
	}
	return found, nil
}

func expectError(want errors.Error, err error) error {
	got, wrong := microError(err)
	if wrong != nil {
		return wrong
	}
	if got.Id != want.Id || got.Code != want.Code || got.Detail != want.Detail || got.Status != want.Status {
		return fmt.Errorf("expected %v, not %v", want.Error(), got)
	}
	return nil
}

// An error that the service makes as go-micro would, with an id.
func failsAs(id string, code int32) func(*peer) error {
	return func(p *peer) error {
		detail := "because <of> \"ü\" & 100%"
		in := testee.Failure{Constructor: "New", Id: id, Code: code, Detail: detail}
		_, err := p.call(context.Background(), "Fail", &in, proto)
		if id == "" {
			id = p.service // filled in by the server
		}
		return expectError(errors.Error{
			Id: id, Code: code, Detail: detail, Status: http.StatusText(int(code)),
		}, err)
	}
}

// What go-micro's API gateway does: it knows no messages, passes JSON on as it is, and sends null for
// a request without a body.
func gateway(p *peer) error {
	for body, want := range map[string]string{
		`{"name":"ann","bigNumber":"7"}`:  `{"name":"ann","big_number":"7"}`,
		`{"name":"ann","big_number":"7"}`: `{"name":"ann","big_number":"7"}`,
		`null`:                            `{}`,
	} {
		in, out := encoding.RawMessage(body), encoding.RawMessage{}
		request := p.client.NewRequest(p.service, "Testee.Echo", &in, client.WithContentType(json))
		if err := p.client.Call(context.Background(), request, &out, p.options...); err != nil {
			return err
		}
		var got bytes.Buffer
		if err := encoding.Compact(&got, out); err != nil {
			return err
		}
		if got.String() != want {
			return fmt.Errorf("the answer to %s is %s", body, out)
		}
	}
	return nil
}

func throws(p *peer) error {
	in := testee.Failure{Constructor: "panic", Detail: "thrown"}
	_, err := p.call(context.Background(), "Fail", &in, proto)
	got, wrong := microError(err)
	if wrong != nil {
		return wrong
	}
	if got.Code != 500 || !strings.Contains(got.Detail, "thrown") {
		return fmt.Errorf("it is %v", got)
	}
	return nil
}

func unknownMethod(p *peer) error {
	_, err := p.call(context.Background(), "Nothing", &testee.Note{}, proto)
	got, wrong := microError(err)
	if wrong != nil {
		return wrong
	}
	if got.Code != 501 {
		return fmt.Errorf("it is %v", got)
	}
	return nil
}

func deadline(p *peer) error {
	request := p.client.NewRequest(p.service, "Testee.Echo", &testee.Note{Name: "slow"})
	start := time.Now()
	options := append([]client.CallOption{client.WithRequestTimeout(200 * time.Millisecond)}, p.options...)
	err := p.client.Call(context.Background(), request, &testee.Note{}, options...)
	got, wrong := microError(err)
	if wrong != nil {
		return wrong
	}
	if took := time.Since(start); got.Code != 408 || took > 3*time.Second {
		return fmt.Errorf("it is %v after %v", got, took)
	}
	return nil
}

type testcase struct {
	name string
	run  func(*peer) error
}

func cases() []testcase {
	all := []testcase{
		{"proto", echoProto}, {"json", echoJSON}, {"proto after json", echoProto},
		{"json as a gateway sends it", gateway},
		{"an empty message", empty}, {"1 MiB", large}, {"deadline", deadline},
		{"a handler that throws", throws}, {"an unknown method", unknownMethod},
	}
	for _, code := range []int32{400, 401, 403, 404, 405, 408, 409, 412, 418, 429, 500, 501, 503} {
		name := fmt.Sprintf("error %d", code)
		all = append(all, testcase{name, failsAs("com.example.thing", code)})
	}
	for _, code := range []int32{400, 401, 403, 404, 408, 409, 500} {
		name := fmt.Sprintf("error %d of micro's own constructor", code)
		all = append(all, testcase{name, failsAs("", code)})
	}
	return append(all, streamCases()...)
}

func run(p *peer) (failed int) {
	for _, one := range cases() {
		if err := one.run(p); err != nil {
			failed++
			fmt.Printf("FAILED %s: %v\n", one.name, err)
		} else {
			fmt.Printf("ok %s\n", one.name)
		}
	}
	return failed
}

func dialTLS(service micro.Service, folder string) error {
	config, err := testee.ClientTLS(folder)
	if err != nil {
		return err
	}
	return service.Client().Init(grpc.AuthTLS(config))
}

// A service says that it listens before it is registered.
func found(services registry.Registry, name string) bool {
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); {
		if all, err := services.GetService(name); err == nil && len(all) > 0 {
			return true
		}
	}
	return false
}

func main() {
	failed := 1
	service := micro.NewService(micro.Name("gomicro.client"))
	service.Init(micro.Action(func(c *cli.Context) error {
		if folder := os.Getenv("TESTEE_TLS"); folder != "" {
			if err := dialTLS(service, folder); err != nil {
				return err
			}
		}
		p := &peer{client: service.Client(), service: c.Args().Get(0)}
		if c.Args().Len() > 1 {
			p.options = append(p.options, client.WithAddress(c.Args().Get(1)))
		} else if !found(service.Options().Registry, p.service) {
			return fmt.Errorf("%s is not in the registry", p.service)
		}
		failed = run(p)
		return nil
	}))
	if failed > 0 {
		os.Exit(1)
	}
}

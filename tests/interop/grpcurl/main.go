// What grpcurl does, through its library, to a server of the gRPC interop tests that offers
// reflection: list, describe and call what it never saw a .proto file of. A line for each case.
//
//	grpcurl HOST:PORT
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fullstorydev/grpcurl"
	"github.com/jhump/protoreflect/grpcreflect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	v1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	v1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
)

const service = "grpc.testing.TestService"

type target struct {
	source     grpcurl.DescriptorSource
	connection *grpc.ClientConn
}

// What a call printed, and how it ended.
func (t target) call(method, request string) (string, *status.Status, error) {
	parser, formatter, err := grpcurl.RequestParserAndFormatter(grpcurl.FormatJSON, t.source,
		strings.NewReader(request), grpcurl.FormatOptions{})
	if err != nil {
		return "", nil, err
	}
	var out bytes.Buffer
	handler := &grpcurl.DefaultEventHandler{Out: &out, Formatter: formatter}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = grpcurl.InvokeRPC(ctx, t.source, t.connection, service+"/"+method, nil, handler, parser.Next)
	return strings.Join(strings.Fields(out.String()), ""), handler.Status, err
}

func (t target) expect(method, request, answer string) error {
	out, ended, err := t.call(method, request)
	if err != nil {
		return err
	}
	if ended.Code() != codes.OK {
		return ended.Err()
	}
	if out != answer {
		return fmt.Errorf("the answer is %s", out)
	}
	return nil
}

func lists(t target) error {
	services, err := grpcurl.ListServices(t.source)
	if err == nil && !slices.Contains(services, service) {
		err = fmt.Errorf("there is only %v", services)
	}
	return err
}

func listsMethods(t target) error {
	methods, err := grpcurl.ListMethods(t.source, service)
	if err != nil {
		return err
	}
	for _, method := range []string{"EmptyCall", "UnaryCall", "FullDuplexCall"} {
		if !slices.Contains(methods, service+"."+method) {
			return fmt.Errorf("%s is not among %v", method, methods)
		}
	}
	return nil
}

func describes(t target) error {
	for symbol, words := range map[string]string{
		service: "rpc FullDuplexCall ( stream .grpc.testing.StreamingOutputCallRequest ) returns " +
			"( stream .grpc.testing.StreamingOutputCallResponse );",
		service + ".UnaryCall":       "rpc UnaryCall",
		"grpc.testing.SimpleRequest": "int32 response_size = 2;",
	} {
		found, err := t.source.FindSymbol(symbol)
		if err != nil {
			return err
		}
		text, err := grpcurl.GetDescriptorText(found, t.source)
		if err != nil {
			return err
		}
		if !strings.Contains(text, words) {
			return fmt.Errorf("%s is %s", symbol, text)
		}
	}
	return nil
}

func findsFiles(t target) error {
	files, err := grpcurl.GetAllFiles(t.source)
	if err != nil {
		return err
	}
	var names []string
	for _, file := range files {
		names = append(names, file.GetName())
	}
	for _, name := range []string{"grpc/testing/test.proto", "grpc/testing/messages.proto"} {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s is not among %v", name, names)
		}
	}
	return nil
}

func knowsWhatItDoesNotKnow(t target) error {
	_, err := t.source.FindSymbol("grpc.testing.Nothing")
	if err == nil || !strings.Contains(strings.ToLower(err.Error()), "not found") {
		return fmt.Errorf("it says %v", err)
	}
	return nil
}

func calls(t target) error {
	return t.expect("UnaryCall", `{"responseSize": 3, "payload": {"body": "AAA="}}`,
		`{"payload":{"body":"AAAA"}}`)
}

func streams(t target) error {
	one := `{"responseParameters": [{"size": 1}]}`
	return t.expect("FullDuplexCall", one+one,
		`{"payload":{"body":"AA=="}}{"payload":{"body":"AA=="}}`)
}

func seesErrors(t target) error {
	_, ended, err := t.call("UnaryCall", `{"responseStatus": {"code": 9, "message": "not now"}}`)
	if err != nil {
		return err
	}
	if ended.Code() != codes.FailedPrecondition || ended.Message() != "not now" {
		return fmt.Errorf("it ended with %v", ended.Err())
	}
	return nil
}

var cases = []struct {
	name string
	run  func(target) error
}{
	{"lists services", lists}, {"lists methods", listsMethods}, {"describes", describes},
	{"finds files and imports", findsFiles}, {"an unknown symbol", knowsWhatItDoesNotKnow},
	{"calls", calls}, {"streams", streams}, {"an error", seesErrors},
}

func run(version string, client *grpcreflect.Client, connection *grpc.ClientConn) (failed int) {
	defer client.Reset()
	t := target{grpcurl.DescriptorSourceFromServer(context.Background(), client), connection}
	for _, one := range cases {
		if err := one.run(t); err != nil {
			failed++
			text := strings.Join(strings.Fields(err.Error()), " ")
			fmt.Printf("FAILED %s, %s: %s\n", version, one.name, text)
		} else {
			fmt.Printf("ok %s, %s\n", version, one.name)
		}
	}
	return failed
}

func dial(address string) (*grpc.ClientConn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return grpcurl.BlockingDial(ctx, "tcp", address, insecure.NewCredentials())
}

func work() error {
	if len(os.Args) != 2 {
		return errors.New("usage: grpcurl HOST:PORT")
	}
	connection, err := dial(os.Args[1])
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx := context.Background()
	failed := run("v1", grpcreflect.NewClientV1(ctx, v1.NewServerReflectionClient(connection)), connection)
	failed += run("v1alpha",
		grpcreflect.NewClientV1Alpha(ctx, v1alpha.NewServerReflectionClient(connection)), connection)
	if failed > 0 {
		os.Exit(1)
	}
	return nil
}

func main() {
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// Package greeter knows the messages of helloworld.proto at run time, from a descriptor set as
// protoc --descriptor_set_out writes it: no generated code, and nothing of the library under test.
package greeter

import (
	"fmt"
	"os"

	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// Method is the path of the one method that both sides know.
const Method = "/helloworld.Greeter/Hello"

// Messages makes requests and responses.
type Messages struct {
	request, response protoreflect.MessageDescriptor
}

// Load reads a descriptor set.
func Load(path string) (*Messages, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(bytes, &set); err != nil {
		return nil, err
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		return nil, err
	}
	service, err := files.FindDescriptorByName("helloworld.Greeter")
	if err != nil {
		return nil, err
	}
	hello := service.(protoreflect.ServiceDescriptor).Methods().ByName("Hello")
	if hello == nil {
		return nil, fmt.Errorf("helloworld.Greeter has no method Hello")
	}
	return &Messages{hello.Input(), hello.Output()}, nil
}

// Request is a request for name.
func (m *Messages) Request(name string) *dynamicpb.Message {
	return with(m.request, "name", name)
}

// Response is a response that says greeting.
func (m *Messages) Response(greeting string) *dynamicpb.Message {
	return with(m.response, "greeting", greeting)
}

// Name is what a request asks for.
func (m *Messages) Name(request *dynamicpb.Message) string {
	return request.Get(m.request.Fields().ByName("name")).String()
}

// Greeting is what a response says.
func (m *Messages) Greeting(response *dynamicpb.Message) string {
	return response.Get(m.response.Fields().ByName("greeting")).String()
}

func with(kind protoreflect.MessageDescriptor, field protoreflect.Name, text string) *dynamicpb.Message {
	message := dynamicpb.NewMessage(kind)
	message.Set(kind.Fields().ByName(field), protoreflect.ValueOfString(text))
	return message
}

// JSON is the encoding that go-micro calls "json": protobuf's own JSON.
type JSON struct{}

// Marshal implements encoding.Codec.
func (JSON) Marshal(value any) ([]byte, error) { return protojson.Marshal(value.(proto.Message)) }

// Unmarshal implements encoding.Codec.
func (JSON) Unmarshal(bytes []byte, value any) error {
	return protojson.Unmarshal(bytes, value.(proto.Message))
}

// Name implements encoding.Codec.
func (JSON) Name() string { return "json" }

func init() { encoding.RegisterCodec(JSON{}) }

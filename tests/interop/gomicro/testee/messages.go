// Package testee is what the go-micro programs share: the messages of testee.proto, as protoc-gen-go
// of that time made them, and the errors.
package testee

import "github.com/golang/protobuf/proto"

type Note struct {
	Name      string   `protobuf:"bytes,1,opt,name=name,proto3" json:"name,omitempty"`
	BigNumber int64    `protobuf:"varint,2,opt,name=big_number,json=bigNumber,proto3" json:"big_number,omitempty"`
	Echo      string   `protobuf:"bytes,3,opt,name=echo,proto3" json:"echo,omitempty"`
	Tags      []string `protobuf:"bytes,4,rep,name=tags,proto3" json:"tags,omitempty"`
	Raw       []byte   `protobuf:"bytes,5,opt,name=raw,proto3" json:"raw,omitempty"`
}

func (n *Note) Reset()         { *n = Note{} }
func (n *Note) String() string { return proto.CompactTextString(n) }
func (*Note) ProtoMessage()    {}

type Failure struct {
	Constructor string `protobuf:"bytes,1,opt,name=constructor,proto3" json:"constructor,omitempty"`
	Id          string `protobuf:"bytes,2,opt,name=id,proto3" json:"id,omitempty"`
	Code        int32  `protobuf:"varint,3,opt,name=code,proto3" json:"code,omitempty"`
	Detail      string `protobuf:"bytes,4,opt,name=detail,proto3" json:"detail,omitempty"`
}

func (f *Failure) Reset()         { *f = Failure{} }
func (f *Failure) String() string { return proto.CompactTextString(f) }
func (*Failure) ProtoMessage()    {}

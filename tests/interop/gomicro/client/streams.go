package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/micro/go-micro/v2/client"
	"github.com/micro/go-micro/v2/errors"
	"google.golang.org/grpc/status"

	"micro.test/gomicro/testee"
)

func (p *peer) stream(method, contentType string) (client.Stream, error) {
	request := p.client.NewRequest(p.service, "Testee."+method, &testee.Note{},
		client.StreamingRequest(), client.WithContentType(contentType))
	return p.client.Stream(context.Background(), request, p.options...)
}

// What generated code does for a server stream: one message, and no half-close.
func (p *peer) count(to int64, contentType string) (client.Stream, error) {
	stream, err := p.stream("Count", contentType)
	if err != nil {
		return nil, err
	}
	return stream, stream.Send(&testee.Note{Name: "tick", BigNumber: to})
}

func expectTicks(p *peer, contentType string) error {
	const ticks = 1000
	stream, err := p.count(ticks, contentType)
	if err != nil {
		return err
	}
	defer stream.Close()
	for i := int64(1); i <= ticks; i++ {
		var out testee.Note
		if err := stream.Recv(&out); err != nil {
			return fmt.Errorf("tick %d: %v", i, err)
		}
		if out.Name != "tick" || out.BigNumber != i {
			return fmt.Errorf("tick %d is %v", i, out.String())
		}
	}
	if err := stream.Recv(&testee.Note{}); err != io.EOF {
		return fmt.Errorf("the end is %v", err)
	}
	return nil
}

func serverStream(contentType string) func(*peer) error {
	return func(p *peer) error { return expectTicks(p, contentType) }
}

func failingStream(p *peer) error {
	stream, err := p.count(-1, proto)
	if err != nil {
		return err
	}
	defer stream.Close()
	err = stream.Recv(&testee.Note{})
	if err == nil || errors.Parse(status.Convert(err).Message()).Detail != "cannot count to -1" {
		return fmt.Errorf("it ended with %v", err)
	}
	return nil
}

// Sends a note and reads its answer.
func exchange(stream client.Stream, number int64) error {
	if err := stream.Send(&testee.Note{Name: "ping", BigNumber: number}); err != nil {
		return err
	}
	var out testee.Note
	if err := stream.Recv(&out); err != nil {
		return err
	}
	if out.BigNumber != number {
		return fmt.Errorf("note %d is %v", number, out.String())
	}
	return nil
}

func expectChat(p *peer, contentType string) error {
	stream, err := p.stream("Chat", contentType)
	if err != nil {
		return err
	}
	defer stream.Close()
	for i := int64(0); i < 100; i++ {
		if err := exchange(stream, i); err != nil {
			return err
		}
	}
	if err := stream.Send(&testee.Note{Name: "fail"}); err != nil {
		return err
	}
	err = stream.Recv(&testee.Note{})
	if err == nil || errors.Parse(status.Convert(err).Message()).Detail != "told to fail" {
		return fmt.Errorf("it ended with %v", err)
	}
	return nil
}

func bidiStream(contentType string) func(*peer) error {
	return func(p *peer) error { return expectChat(p, contentType) }
}

// Older clients put the time for a unary call on streams too; it must not end them.
func patientStream(p *peer) error {
	options := append([]client.CallOption{client.WithRequestTimeout(100 * time.Millisecond)}, p.options...)
	request := p.client.NewRequest(p.service, "Testee.Chat", &testee.Note{}, client.StreamingRequest())
	stream, err := p.client.Stream(context.Background(), request, options...)
	if err != nil {
		return err
	}
	defer stream.Close()
	if err := exchange(stream, 1); err != nil {
		return err
	}
	time.Sleep(300 * time.Millisecond)
	return exchange(stream, 2)
}

func streamCases() []testcase {
	return []testcase{
		{"server stream, proto", serverStream(proto)}, {"server stream, json", serverStream(json)},
		{"server stream that fails", failingStream},
		{"bidi stream, proto", bidiStream(proto)}, {"bidi stream, json", bidiStream(json)},
		{"a stream longer than the timeout header", patientStream},
	}
}

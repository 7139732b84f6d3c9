package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/micro/go-micro/v2/client"

	"micro.test/gomicro/testee"
)

func (p *peer) stream(method string) (client.Stream, error) {
	request := p.client.NewRequest(p.service, "Testee."+method, &testee.Note{},
		client.StreamingRequest(), client.WithContentType(proto))
	return p.client.Stream(context.Background(), request, p.options...)
}

// What generated code does for a server stream: one message, and no half-close.
func (p *peer) count(to int64) (client.Stream, error) {
	stream, err := p.stream("Count")
	if err != nil {
		return nil, err
	}
	return stream, stream.Send(&testee.Note{Name: "tick", BigNumber: to})
}

func serverStream(p *peer) error {
	const ticks = 1000
	stream, err := p.count(ticks)
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

func failingStream(p *peer) error {
	stream, err := p.count(-1)
	if err != nil {
		return err
	}
	defer stream.Close()
	err = stream.Recv(&testee.Note{})
	if err == nil || !strings.Contains(err.Error(), "cannot count to -1") {
		return fmt.Errorf("it ended with %v", err)
	}
	return nil
}

func bidiStream(p *peer) error {
	stream, err := p.stream("Chat")
	if err != nil {
		return err
	}
	defer stream.Close()
	for i := int64(0); i < 100; i++ {
		if err := stream.Send(&testee.Note{Name: "ping", BigNumber: i}); err != nil {
			return err
		}
		var out testee.Note
		if err := stream.Recv(&out); err != nil {
			return err
		}
		if out.BigNumber != i {
			return fmt.Errorf("note %d is %v", i, out.String())
		}
	}
	if err := stream.Send(&testee.Note{Name: "fail"}); err != nil {
		return err
	}
	err = stream.Recv(&testee.Note{})
	if err == nil || !strings.Contains(err.Error(), "told to fail") {
		return fmt.Errorf("it ended with %v", err)
	}
	return nil
}

func streamCases() []testcase {
	return nil
}

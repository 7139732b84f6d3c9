// One member of a fleet, told by lines on its standard input what to do: what
// ../../discovery/node.cc is in C++, which says what the lines are.
//
//	discovery mdns|etcd
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/micro/go-micro/v2/client"
	grpcclient "github.com/micro/go-micro/v2/client/grpc"
	"github.com/micro/go-micro/v2/client/selector"
	"github.com/micro/go-micro/v2/registry"
	"github.com/micro/go-micro/v2/registry/etcd"
	"github.com/micro/go-micro/v2/server"
	grpcserver "github.com/micro/go-micro/v2/server/grpc"

	"micro.test/gomicro/testee"
)

var output sync.Mutex

// Lines from several goroutines come one after another.
func say(format string, words ...interface{}) {
	output.Lock()
	defer output.Unlock()
	fmt.Printf(format+"\n", words...)
}

func outcome(err error) string {
	if err != nil {
		return "error " + err.Error()
	}
	return "ok"
}

// Node is what a member serves; it knows when it joined and left, and was called in between.
type Node struct {
	mutex  sync.Mutex
	joined time.Time
	left   time.Time
	last   time.Time
	called bool
}

// Ping answers with what it got.
func (n *Node) Ping(_ context.Context, in, out *testee.Note) error {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	n.last = time.Now()
	if !n.called {
		n.called = true
		say("first %f", milliseconds(time.Since(n.joined)))
	}
	*out = *in
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

type member struct {
	registry registry.Registry
	client   client.Client
	server   server.Server
	node     *Node
	answered int64
	failed   int64
}

func service(words []string) *registry.Service {
	return &registry.Service{Name: words[0], Version: "latest",
		Nodes: []*registry.Node{{Id: words[1], Address: words[2]}}}
}

func (m *member) get(name string) string {
	services, err := m.registry.GetService(name)
	if err != nil {
		return "error " + err.Error()
	}
	var nodes []string
	for _, one := range services {
		for _, node := range one.Nodes {
			nodes = append(nodes, node.Id+"@"+node.Address)
		}
	}
	sort.Strings(nodes)
	return strings.TrimSpace("nodes " + strings.Join(nodes, " "))
}

func (m *member) list() string {
	services, err := m.registry.ListServices()
	if err != nil {
		return "error " + err.Error()
	}
	line := "services"
	for _, one := range services {
		line += " " + one.Name
	}
	return line
}

func (m *member) watch(name string) string {
	watcher, err := m.registry.Watch(registry.WatchService(name))
	if err != nil {
		return "error " + err.Error()
	}
	go func() {
		for {
			result, err := watcher.Next()
			if err != nil {
				return
			}
			for _, node := range result.Service.Nodes {
				say("event %s %s %s", result.Action, result.Service.Name, node.Id)
			}
		}
	}()
	return "ok"
}

func (m *member) join(name, id string) string {
	m.node = &Node{joined: time.Now()}
	m.server = grpcserver.NewServer(server.Name(name), server.Id(id), server.Registry(m.registry))
	if err := m.server.Handle(m.server.NewHandler(m.node)); err != nil {
		return "error " + err.Error()
	}
	return outcome(m.server.Start())
}

func (m *member) leave() string {
	m.node.mutex.Lock()
	m.node.left = time.Now()
	m.node.last = m.node.left
	m.node.mutex.Unlock()
	return outcome(m.server.Stop())
}

func (m *member) last() string {
	m.node.mutex.Lock()
	defer m.node.mutex.Unlock()
	return fmt.Sprintf("last %f", milliseconds(m.node.last.Sub(m.node.left)))
}

func (m *member) call(name string) string {
	go func() {
		for {
			request := m.client.NewRequest(name, "Node.Ping", &testee.Note{})
			if err := m.client.Call(context.Background(), request, &testee.Note{}); err != nil {
				atomic.AddInt64(&m.failed, 1)
			} else {
				atomic.AddInt64(&m.answered, 1)
			}
			time.Sleep(time.Millisecond)
		}
	}()
	return "ok"
}

func (m *member) do(command string, words []string) string {
	switch command {
	case "register":
		return outcome(m.registry.Register(service(words)))
	case "deregister":
		return outcome(m.registry.Deregister(service(words)))
	case "get":
		return m.get(words[0])
	case "list":
		return m.list()
	case "watch":
		return m.watch(words[0])
	case "join":
		return m.join(words[0], words[1])
	case "leave":
		return m.leave()
	case "last":
		return m.last()
	case "call":
		return m.call(words[0])
	case "calls":
		return fmt.Sprintf("calls %d %d", atomic.SwapInt64(&m.answered, 0), atomic.SwapInt64(&m.failed, 0))
	}
	return "error there is no command " + command
}

func main() {
	m := &member{registry: registry.NewRegistry()}
	if os.Args[1] == "etcd" {
		m.registry = etcd.NewRegistry(registry.Addrs("127.0.0.1:2379"))
	}
	picks := selector.NewSelector(selector.Registry(m.registry))
	m.client = grpcclient.NewClient(client.Registry(m.registry), client.Selector(picks))
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		say("%s", m.do(words[0], words[1:]))
	}
}

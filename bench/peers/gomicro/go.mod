module micro.test/bench/gomicro

go 1.13

require (
	github.com/golang/protobuf v1.4.0
	github.com/micro/go-micro/v2 v2.9.1
	google.golang.org/protobuf v1.22.0
	micro.test/bench/load v0.0.0
)

replace micro.test/bench/load => ../load

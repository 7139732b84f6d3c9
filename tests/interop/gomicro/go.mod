module micro.test/gomicro

go 1.13

require (
	github.com/golang/protobuf v1.4.0
	github.com/micro/cli/v2 v2.1.2
	github.com/micro/go-micro/v2 v2.9.1
	google.golang.org/grpc v1.26.0
)

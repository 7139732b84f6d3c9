#pragma once

#include "grpc/testing/test.micro.h"

// What the interop tests' services say to each other, by short names.
namespace grpc_interop {

using ::grpc::testing::EchoStatus;
using ::grpc::testing::Empty;
using ::grpc::testing::Payload;
using ::grpc::testing::ResponseParameters;
using ::grpc::testing::SimpleRequest;
using ::grpc::testing::SimpleResponse;
using ::grpc::testing::StreamingInputCallRequest;
using ::grpc::testing::StreamingInputCallResponse;
using ::grpc::testing::StreamingOutputCallRequest;
using ::grpc::testing::StreamingOutputCallResponse;

}  // namespace grpc_interop

#pragma once

#include <memory>

#include <micro/micro.h>

#include "grpc/testing/test.micro.h"

// The test service of gRPC's interop tests, in both faces.
namespace grpc_interop {

std::shared_ptr<micro::Handler> MakeBlockingService();
std::shared_ptr<micro::Handler> MakeAsyncService();

// --- what both do --------------------------------------------------------------------------------

/// custom_metadata: one key goes back ahead of the answer, one behind it.
void EchoMetadata(micro::Context& context);

/// What the caller asks for.
micro::Status Told(const ::grpc::testing::EchoStatus& status);
micro::Result<::grpc::testing::SimpleResponse> Answer(
    micro::Context& context, const ::grpc::testing::SimpleRequest& request);
micro::Result<::grpc::testing::StreamingOutputCallResponse> Answer(
    const ::grpc::testing::ResponseParameters& wanted);

}  // namespace grpc_interop

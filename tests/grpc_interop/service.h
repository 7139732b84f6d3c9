#pragma once

#include <memory>

#include <micro/micro.h>

#include "messages.h"

// The test service of gRPC's interop tests, in both faces.
namespace grpc_interop {

std::shared_ptr<micro::Handler> MakeBlockingService();
std::shared_ptr<micro::Handler> MakeAsyncService();

// --- what both do --------------------------------------------------------------------------------

/// custom_metadata: one key goes back ahead of the answer, one behind it.
void EchoMetadata(micro::Context& context);

/// What the caller asks for.
micro::Status Told(const EchoStatus& status);
micro::Result<SimpleResponse> Answer(micro::Context& context, const SimpleRequest& request);
micro::Result<StreamingOutputCallResponse> Answer(const ResponseParameters& wanted);

}  // namespace grpc_interop

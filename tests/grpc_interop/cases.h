#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <micro/micro.h>

#include "messages.h"

// The cases of gRPC's interop tests, as its published description has them.
namespace grpc_interop {

/// What a case is run against.
struct Target {
  ::grpc::testing::TestServiceClient service;
  ::grpc::testing::UnimplementedServiceClient missing;
  std::vector<std::string> addresses;
  /// How the last answer was compressed.
  std::shared_ptr<micro::Compression> received;

  micro::CallOptions options() const { return {.addresses = addresses}; }
};

/// Why a case failed; empty when it did not.
using Complaint = std::string;

/// A case by the name that everybody knows it by.
struct Case {
  std::string_view name;
  Complaint (*run)(const Target& target);
};

Complaint EmptyUnary(const Target& target);
Complaint LargeUnary(const Target& target);
Complaint ClientCompressedUnary(const Target& target);
Complaint ServerCompressedUnary(const Target& target);
Complaint ClientStreaming(const Target& target);
Complaint ServerStreaming(const Target& target);
Complaint PingPong(const Target& target);
Complaint EmptyStream(const Target& target);
Complaint CustomMetadata(const Target& target);
Complaint StatusCodeAndMessage(const Target& target);
Complaint SpecialStatusMessage(const Target& target);
Complaint UnimplementedMethod(const Target& target);
Complaint UnimplementedService(const Target& target);
Complaint CancelAfterBegin(const Target& target);
Complaint CancelAfterFirstResponse(const Target& target);
Complaint TimeoutOnSleepingServer(const Target& target);

// --- what the cases share ------------------------------------------------------------------------

/// Whether a call ended with this error.
Complaint ExpectError(micro::Code code, std::string_view detail, const micro::Status& status);
/// Whether it ended with this code, whatever it says.
Complaint ExpectCode(micro::Code code, const micro::Status& status);
/// Whether a payload has so many bytes, all of them zero.
Complaint ExpectZeros(int size, const Payload& payload);

/// custom_metadata's keys and values.
const micro::Metadata& EchoedMetadata();
/// Whether they came back.
Complaint ExpectEchoed(const micro::Metadata& ahead, const micro::Metadata& behind);

/// The halves of custom_metadata and status_code_and_message: a unary call, and a stream.
Complaint EchoUnary(const Target& target);
Complaint EchoStream(const Target& target);
Complaint TellUnary(const Target& target, std::string_view message);
Complaint TellStream(const Target& target, std::string_view message);

template <typename T>
micro::Status StatusOf(const micro::Result<T>& result) {
  return result ? micro::Ok() : micro::Failure(result.error());
}

}  // namespace grpc_interop

#include "events/jetstream/link.h"

#include <algorithm>

namespace micro::jetstream {
namespace {

// JetStream's error codes, as nats-server has them.
constexpr int kNotEnabledForAccount = 10039;
constexpr int kNotEnabled = 10076;
constexpr int kStreamNameInUse = 10058;

std::int64_t NanosecondsOrNone(Duration duration) {
  return std::max<std::int64_t>(duration.count(), 0);
}

}  // namespace

std::string Why(natsStatus status) {
  const char* more = nats_GetLastError(nullptr);
  const std::string text = natsStatus_GetText(status);
  return more != nullptr && *more != '\0' ? text + " (" + more + ")" : text;
}

std::int64_t Milliseconds(Duration duration) {
  return std::max<std::int64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(duration).count(), 1);
}

Result<ConnectionPtr> Link::Get() {
  const std::lock_guard lock(mutex_);
  if (connection_ && !connection_->closed()) return connection_;
  auto dialled = Dial();
  if (dialled) connection_ = *dialled;
  return dialled;
}

Result<ConnectionPtr> Link::Dial() const {
  natsConnection* made = nullptr;
  const natsStatus status = natsConnection_Connect(&made, settings_.options.get());
  if (status != NATS_OK) {
    return Unavailable("cannot connect to NATS at " + servers() +
                       ", which is to keep events: " + Why(status));
  }
  auto connection = std::make_shared<Connection>(made);
  jsOptions options;
  jsOptions_Init(&options);
  options.Wait = Milliseconds(config_.server.timeout);
  if (const natsStatus got = natsConnection_JetStream(&connection->js, made, &options);
      got != NATS_OK) {
    return Unavailable("cannot speak to JetStream at " + servers() + ": " + Why(got));
  }
  if (Status found = FindStream(connection->js); !found) return Failure(found.error());
  return connection;
}

Status Link::FindStream(jsCtx* js) const {
  jsStreamInfo* info = nullptr;
  jsErrCode code{};
  const natsStatus status = js_GetStreamInfo(&info, js, config_.stream.c_str(), nullptr, &code);
  jsStreamInfo_Destroy(info);
  if (status == NATS_OK) return Ok();
  return status == NATS_NOT_FOUND ? MakeStream(js) : NoStream(status, code);
}

Status Link::MakeStream(jsCtx* js) const {
  jsStreamConfig stream;
  jsStreamConfig_Init(&stream);
  const std::string subject = SubjectOf(">");
  const char* subjects = subject.c_str();
  stream.Name = config_.stream.c_str();
  stream.Subjects = &subjects;
  stream.SubjectsLen = 1;
  stream.Storage = js_FileStorage;
  stream.MaxAge = NanosecondsOrNone(config_.max_age);
  stream.MaxBytes = config_.max_bytes > 0 ? static_cast<std::int64_t>(config_.max_bytes) : -1;
  stream.Duplicates = NanosecondsOrNone(config_.duplicates);
  stream.Replicas = static_cast<std::int64_t>(config_.replicas);
  jsErrCode code{};
  const natsStatus status = js_AddStream(nullptr, js, &stream, nullptr, &code);
  // Another program may have been quicker, with limits of its own.
  if (status == NATS_OK || static_cast<int>(code) == kStreamNameInUse) return Ok();
  return NoStream(status, code);
}

Failure Link::NoStream(natsStatus status, jsErrCode code) const {
  const int number = static_cast<int>(code);
  if (status == NATS_NO_RESPONDERS || number == kNotEnabled || number == kNotEnabledForAccount) {
    return FailedPrecondition("NATS at " + servers() +
                              " keeps no events: it has no JetStream (nats-server -js)");
  }
  const std::string why =
      "no stream " + config_.stream + " at NATS " + servers() + ": " + Why(status);
  return status == NATS_TIMEOUT ? Unavailable(why) : FailedPrecondition(why);
}

}  // namespace micro::jetstream

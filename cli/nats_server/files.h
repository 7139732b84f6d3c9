#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "micro/error.h"

#include "natsd/options.h"

namespace micro::natsd {

/// A file that says something about a running process; it goes when this goes.
class NoteFile {
 public:
  NoteFile() = default;
  /// INVALID_ARGUMENT with Phase::kConfigure when it cannot be written.
  static Result<NoteFile> Write(const std::string& path, const std::string& text);
  NoteFile(NoteFile&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  NoteFile& operator=(NoteFile&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  NoteFile(const NoteFile&) = delete;
  NoteFile& operator=(const NoteFile&) = delete;
  ~NoteFile();

 private:
  std::string path_;  // empty: nothing was written
};

/// The ports that a server came to listen at; 0: none.
struct Ports {
  std::uint16_t client = 0;
  std::uint16_t monitor = 0;
  std::uint16_t cluster = 0;
};

/// What nats-server writes into DIR/nats-server_PID.ports, for those who asked for any free port:
/// {"nats": ["nats://127.0.0.1:4222"], "monitoring": …, "cluster": …}.
std::string PortsText(const Options& options, const Ports& ports);

}  // namespace micro::natsd

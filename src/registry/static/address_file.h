#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "micro/error.h"

#include "registry/static/entries.h"

namespace micro::static_registry {

/// A file of addresses that may change while it is used.
class AddressFile final {
 public:
  explicit AddressFile(std::string path) : path_(std::move(path)) {}

  /// Reads the file if it is not the one that was read before, by modification time, size and
  /// inode; true when entries() and faults() are new. On an error, and when no line of several
  /// makes sense, entries() stay as they were, and the same state of the file is not read again.
  Result<bool> Refresh();

  const std::string& path() const { return path_; }
  const Entries& entries() const { return entries_; }
  /// What is wrong with lines of the file, which were passed over.
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  struct Stamp {
    std::time_t seconds = 0;
    long nanoseconds = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };

  Result<Stamp> Look() const;
  Status Read();

  std::string path_;
  std::optional<Stamp> stamp_;
  bool missing_ = false;
  Entries entries_;
  std::vector<std::string> faults_;
};

}  // namespace micro::static_registry

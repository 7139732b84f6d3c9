#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace micro::e2e {

/// A program of ours, run as a child. Its output and its log are read as one text.
class Child {
 public:
  /// `program` stands in build/bin; `environment` is "NAME=value" beside our own.
  explicit Child(const std::string& program, const std::vector<std::string>& arguments = {},
                 const std::vector<std::string>& environment = {});
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  /// Kills it if it still runs.
  ~Child();

  /// Reads until `text` has been written; false when it ends, or is silent for long.
  bool WaitFor(std::string_view text);
  /// Reads until a line holds `text`; what stands behind it there.
  std::string After(std::string_view text);
  void Signal(int signal) const;
  /// Its exit code, once it has ended; 128 + N for signal N.
  int Wait();
  /// The memory it had at its largest, in KiB; 0 when that cannot be known.
  long peak_memory() const;
  /// How many files it has open.
  int open_files() const;
  /// What it has written so far.
  const std::string& output() const { return output_; }

 private:
  bool ReadMore();

  pid_t pid_ = -1;
  int pipe_ = -1;
  std::string output_;
  std::optional<int> exit_code_;
};

}  // namespace micro::e2e

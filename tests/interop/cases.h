#pragma once

#include <functional>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

// What the clients of these tests share: a line for each case, as run.py reads them.
namespace interop {

/// Why a case failed; empty when it did not.
using Complaint = std::string;

struct Case {
  std::string name;
  std::function<Complaint()> run;
};

inline bool Run(const Case& one) {
  const Complaint complaint = one.run();
  if (complaint.empty()) {
    std::cout << "ok " << one.name << std::endl;
  } else {
    std::cout << "FAILED " << one.name << ": " << complaint << std::endl;
  }
  return complaint.empty();
}

/// Runs all; returns the exit code.
inline int RunAll(std::span<const Case> cases) {
  bool good = true;
  for (const Case& one : cases) good = Run(one) && good;
  return good ? 0 : 1;
}

}  // namespace interop

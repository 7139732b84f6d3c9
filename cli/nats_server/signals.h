#pragma once

#include <string>

#include "micro/error.h"

namespace micro::natsd {

/// Sends what `word` means ("stop", "quit", "term", "reopen", "reload", "ldm") to a server that
/// runs: to the one whose number, or the name of whose pid file, `process` is; if it is empty, to
/// the only other process of this program. INVALID_ARGUMENT with Phase::kConfigure otherwise.
Status SendSignal(const std::string& word, const std::string& process);

}  // namespace micro::natsd

#pragma once

#include <memory>

#include "micro/error.h"
#include "micro/registry.h"

namespace micro {

/// A registry for fleets without discovery: the addresses are given, by flag or by file.
///
/// Each address is `host:port`, which serves every service, `service=host:port`, which serves that
/// one, or `file:PATH` (also `file:///PATH`), a file with one such item a line and `#` comments. A
/// file is read again when it changes: lines that make no sense are passed over then, counted in
/// `micro_registry_bad_records_total` and logged; while nothing of it can be used, what it last
/// said stands, and the logger is told. At the start, an address or a file that makes no sense is
/// INVALID_ARGUMENT with Phase::kConfigure, and so is no address at all.
///
/// Registering does nothing. A watch tells of changes to the files, within a second.
Result<std::shared_ptr<Registry>> MakeStaticRegistry(const RegistryConfig& config);

}  // namespace micro

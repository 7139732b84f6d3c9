#pragma once

#include <string>
#include <string_view>

#include "micro/error.h"

#include "natsd/authenticator.h"

namespace micro::natsd {

/// What CONNECT says, from a client or another server; what it leaves out is as here.
struct ConnectOptions {
  bool verbose = true;
  bool pedantic = true;
  bool echo = true;
  bool headers = false;
  bool no_responders = false;
  int protocol = 0;
  std::string name = {};
  std::string lang = {};
  std::string version = {};
  std::string account = {};  ///< obsolete: nobody may ask for one
  Credentials credentials = {};

  // Only of other servers.
  std::string cluster = {};
  bool cluster_dynamic = false;
  std::string gateway = {};
};

/// Reads CONNECT's JSON over what `options` holds. INVALID_ARGUMENT for what is no JSON object, and
/// for fields of another type.
Status ReadConnect(std::string_view json, ConnectOptions& options);

}  // namespace micro::natsd

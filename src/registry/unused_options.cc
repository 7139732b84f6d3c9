#include "registry/unused_options.h"

#include <array>
#include <string>
#include <utility>

namespace micro {

void WarnOfServerOptions(std::string_view registry, const RegistryConfig& config) {
  const std::array<std::pair<std::string_view, bool>, 7> options = {
      {{"--registry_username", !config.username.empty()},
       {"--registry_password", !config.password.empty()},
       {"--registry_tls", config.tls},
       {"--registry_tls_ca", !config.tls_ca.empty()},
       {"--registry_tls_cert", !config.tls_cert.empty()},
       {"--registry_tls_key", !config.tls_key.empty()},
       {"--registry_tls_server_name", !config.tls_server_name.empty()}}};
  std::string given;
  for (const auto& [flag, is_given] : options) {
    if (is_given) given += (given.empty() ? "" : ", ") + std::string(flag);
  }
  if (given.empty() || !config.logger) return;
  config.logger->Write(LogLevel::kWarn, "registry " + std::string(registry) +
                                            " takes no notice of " + given +
                                            ": it neither logs in anywhere nor speaks TLS");
}

}  // namespace micro

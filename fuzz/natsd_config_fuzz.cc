// Any configuration file is read, or refused in one sentence that says where. What follows a line
// "---" is the file that every include gets.
#include <cstddef>
#include <string>

#include "expect.h"
#include "natsd/authenticator.h"
#include "natsd/config/configuration.h"

namespace config = micro::natsd::config;

namespace {

constexpr std::string_view kSeam = "\n---\n";

config::Sources SourcesOf(std::string_view whole) {
  const std::size_t seam = whole.find(kSeam);
  const std::string main(whole.substr(0, seam));
  const std::string other(seam == std::string_view::npos ? std::string_view()
                                                         : whole.substr(seam + kSeam.size()));
  return {.file = [=](const std::string& path) -> micro::Result<std::string> {
            return path == "x.conf" ? main : other;
          },
          .variable = [](const std::string& name) -> std::optional<std::string> {
            return name == "HOME" ? std::optional<std::string>("/root") : std::nullopt;
          }};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  config::Configuration read;
  const auto status = config::ReadConfiguration("x.conf", SourcesOf(AsText(data, size)), read);
  if (!status) {
    Expect(status.error().phase() == micro::Phase::kConfigure);
    Expect(status.error().detail().find('\n') == std::string::npos);
    Expect(status.error().detail().find(':') != std::string::npos);
    return 0;
  }
  const auto authenticator = micro::natsd::Authenticator::Make(read.server.authorization);
  if (!authenticator) Expect(authenticator.error().phase() == micro::Phase::kConfigure);
  return 0;
}

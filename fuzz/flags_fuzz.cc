// Any command line is read, or refused in one sentence.
#include <cstddef>
#include <string>
#include <vector>

#include "expect.h"
#include "service/option_table.h"

namespace {

// One argument a line.
std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words = {"program"};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    words.emplace_back(line.substr(0, line.find('\0')));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words = Words(AsText(data, size));
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  bool loud = false;
  int count = 0;
  micro::ServiceOptions options{
      .flags = {{.name = "loud", .value = &loud}, {.name = "n", .value = &count}},
      .arguments = "NAME",
      .plugins = {}};
  const auto read =
      micro::service::ReadOptions(options, static_cast<int>(argv.size()), argv.data());
  if (read) return 0;
  Expect(!read.error().detail().empty());
  if (read.error().phase() == micro::Phase::kUsage) return 0;
  Expect(read.error().phase() == micro::Phase::kConfigure);
  Expect(read.error().detail().find('\n') == std::string::npos);
  return 0;
}

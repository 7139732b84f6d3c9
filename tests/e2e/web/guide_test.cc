#include <array>
#include <cstdio>
#include <fstream>
#include <regex>

#include "child.h"
#include "fleet.h"

// docs/guide/curl-and-browsers.md: what it says that one sees, one sees.
namespace micro::e2e {
namespace {

// A command of the guide's, and what it shows of the answer.
struct Example {
  std::string command;
  std::string output;
};

// The blocks marked "console": lines that begin with "$ ", and what they print.
std::vector<Example> ExamplesOf(const std::string& path) {
  std::ifstream guide(path);
  std::vector<Example> examples;
  bool within = false;
  for (std::string line; std::getline(guide, line);) {
    if (line.starts_with("```")) {
      within = line == "```console";
    } else if (within && line.starts_with("$ ")) {
      examples.push_back({line.substr(2), ""});
    } else if (within && !examples.empty()) {
      std::string& command = examples.back().command;
      if (command.ends_with("\\") && examples.back().output.empty()) {
        command = command.substr(0, command.size() - 1) + line;
      } else {
        examples.back().output += line + "\n";
      }
    }
  }
  return examples;
}

std::string OutputOf(const std::string& command) {
  std::string output;
  std::FILE* pipe = ::popen(("env -u http_proxy -u all_proxy " + command + " 2>&1").c_str(), "r");
  std::array<char, 4096> bytes{};
  while (const std::size_t size = std::fread(bytes.data(), 1, bytes.size(), pipe)) {
    output.append(bytes.data(), size);
  }
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return output;
}

// Without what differs from run to run.
std::string Plain(const std::string& output) {
  return std::regex_replace(output, std::regex("\r|[Dd]ate: .*\n"), "");
}

TEST(GuideTest, ItsCurlCommandsPrintWhatItSays) {
  Child service("helloworld", {"--registry=memory", "--server_address=127.0.0.1:0",
                               "--cors_origins=https://app.example"});
  const std::string address = service.After("listening on ");
  ASSERT_FALSE(address.empty()) << service.output();
  const auto examples = ExamplesOf(E2E_DOCS "/guide/curl-and-browsers.md");
  EXPECT_GE(examples.size(), 5U);
  for (const auto& [command, output] : examples) {
    ASSERT_TRUE(command.starts_with("curl ")) << command;
    const std::string here = std::regex_replace(command, std::regex("localhost:8080"), address);
    std::string printed = Plain(OutputOf(here));
    if (!printed.ends_with("\n")) printed += "\n";
    EXPECT_EQ(printed, output) << command;
  }
}

}  // namespace
}  // namespace micro::e2e

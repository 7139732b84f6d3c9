#include "web/http_peer.h"

#include <algorithm>
#include <cctype>

namespace micro::e2e {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

std::string HttpAnswer::Get(std::string_view name) const {
  std::string all;
  for (const auto& [key, value] : headers) {
    if (key == name) all += (all.empty() ? "" : ", ") + value;
  }
  return all;
}

bool HttpAnswer::Has(std::string_view name) const {
  return std::ranges::any_of(headers, [&](const auto& header) { return header.first == name; });
}

bool HttpPeer::More() {
  const std::string bytes = socket_.Receive();
  came_ += bytes;
  return !bytes.empty();
}

// Without its CRLF; empty at the end, too.
std::string HttpPeer::Line() {
  while (came_.find("\r\n") == std::string::npos && More()) {
  }
  const std::size_t end = came_.find("\r\n");
  if (end == std::string::npos) return {};
  std::string line = came_.substr(0, end);
  came_.erase(0, end + 2);
  return line;
}

bool HttpPeer::ReadBytes(std::size_t count, std::string& body) {
  while (came_.size() < count && More()) {
  }
  const std::size_t size = std::min(count, came_.size());
  body += came_.substr(0, size);
  came_.erase(0, size);
  return size == count;
}

bool HttpPeer::ReadChunks(std::string& body) {
  while (true) {
    const std::string line = Line();
    if (line.empty()) return false;
    const std::size_t size = std::stoul(line, nullptr, 16);
    if (!ReadBytes(size, body) || !Line().empty()) return false;
    if (size == 0) return true;
  }
}

HttpAnswer HttpPeer::Receive(bool head_only) {
  HttpAnswer answer;
  const std::string first = Line();
  if (!first.starts_with("HTTP/1.1 ")) return answer;
  answer.status = std::stoi(first.substr(9));
  for (std::string line = Line(); !line.empty(); line = Line()) {
    const std::size_t colon = line.find(": ");
    answer.headers.emplace_back(Lower(line.substr(0, colon)), line.substr(colon + 2));
  }
  const std::string length = answer.Get("content-length");
  if (head_only || answer.status < 200 || answer.status == 204) {
    answer.whole = true;
  } else if (answer.Get("transfer-encoding") == "chunked") {
    answer.whole = ReadChunks(answer.body);
  } else {
    answer.whole = !length.empty() && ReadBytes(std::stoul(length), answer.body);
  }
  return answer;
}

HttpAnswer HttpPeer::Ask(const std::string& method, const std::string& target,
                         const std::string& lines, const std::string& body) {
  Send(HttpRequest(method, target, lines, body));
  return Receive(method == "HEAD");
}

std::string HttpRequest(const std::string& method, const std::string& target,
                        const std::string& lines, const std::string& body) {
  const std::string length =
      body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return method + " " + target + " HTTP/1.1\r\nHost: test\r\n" + length + lines + "\r\n" + body;
}

}  // namespace micro::e2e

#include "broker/topic.h"

#include <algorithm>
#include <string>

namespace micro::broker {
namespace {

bool IsPlain(char c) { return static_cast<unsigned char>(c) > ' ' && c != '\x7f'; }

// Takes the word before the next dot off `rest`.
std::string_view TakeWord(std::string_view& rest) {
  const std::size_t dot = rest.find('.');
  const std::string_view word = rest.substr(0, dot);
  rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  return word;
}

// What may show of something a stranger made up.
std::string Shown(std::string_view text) {
  constexpr std::size_t kMost = 64;
  std::string shown(text.substr(0, kMost));
  std::ranges::replace_if(shown, [](char c) { return !IsPlain(c) && c != ' '; }, '?');
  return '"' + shown + (text.size() > kMost ? "…\"" : "\"");
}

Failure Refuse(std::string_view topic, const std::string& why) {
  return InvalidArgument("the topic " + Shown(topic) + " " + why);
}

// What holds for topics and patterns alike.
Status CheckWords(std::string_view topic) {
  if (topic.empty()) return InvalidArgument("a topic must not be empty");
  if (topic.size() > kMaxTopic)
    return Refuse(topic, "is longer than " + std::to_string(kMaxTopic) + " bytes");
  if (!std::ranges::all_of(topic, IsPlain))
    return Refuse(topic, "has a blank or a control character in it");
  if (topic.front() == '.' || topic.back() == '.' || topic.contains(".."))
    return Refuse(topic, "has an empty word: words are joined by single dots");
  return Ok();
}

}  // namespace

bool IsPattern(std::string_view pattern) {
  return pattern.find_first_of("*>") != std::string_view::npos;
}

Status CheckTopic(std::string_view topic) {
  if (Status checked = CheckWords(topic); !checked) return checked;
  if (IsPattern(topic)) return Refuse(topic, "is a pattern: one cannot publish on it");
  if (topic.front() == '$') return Refuse(topic, "begins with '$', which is for servers");
  return Ok();
}

Status CheckFilter(const TopicFilter& filter) {
  if (Status checked = CheckWords(filter.topic); !checked) return checked;
  for (std::string_view rest = filter.topic; !rest.empty();) {
    const std::string_view word = TakeWord(rest);
    if (word == "*" || (word == ">" && rest.empty())) continue;
    if (word == ">") return Refuse(filter.topic, "has words behind '>'");
    if (IsPattern(word)) return Refuse(filter.topic, "has a '*' or '>' within a word");
  }
  if (filter.queue.size() > kMaxQueue || !std::ranges::all_of(filter.queue, IsPlain)) {
    return InvalidArgument("the queue " + Shown(filter.queue) + " of topic " + Shown(filter.topic) +
                           " has a blank in it or is too long");
  }
  return Ok();
}

bool Matches(std::string_view pattern, std::string_view topic) {
  while (!pattern.empty() && !topic.empty()) {
    const std::string_view wanted = TakeWord(pattern);
    if (wanted == ">") return true;
    const std::string_view word = TakeWord(topic);
    if (wanted != "*" && wanted != word) return false;
  }
  return pattern.empty() && topic.empty();
}

}  // namespace micro::broker

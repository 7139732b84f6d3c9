#include <algorithm>

#include "micro/codec.h"

#include "base/content_type.h"

namespace micro {

void Codecs::Add(std::shared_ptr<const Codec> codec,
                 const std::vector<std::string>& content_types) {
  const auto put = [&](std::string content_type) {
    std::erase_if(rows_, [&](const Row& row) { return row.content_type == content_type; });
    rows_.push_back({std::move(content_type), codec});
  };
  put("application/grpc+" + std::string(codec->name()));
  for (const std::string& content_type : content_types) put(PlainContentType(content_type));
  std::sort(rows_.begin(), rows_.end(),
            [](const Row& a, const Row& b) { return a.content_type < b.content_type; });
}

const Codec* Codecs::Find(std::string_view content_type) const {
  for (const Row& row : rows_) {
    if (row.content_type == content_type) return row.codec.get();
  }
  const std::string plain = PlainContentType(content_type);
  return plain == content_type ? nullptr : Find(plain);
}

const Codec* Codecs::FindByName(std::string_view name) const {
  for (const Row& row : rows_) {
    if (row.codec->name() == name) return row.codec.get();
  }
  return nullptr;
}

std::string Codecs::Known() const {
  std::string known;
  for (const Row& row : rows_) known += (known.empty() ? "" : ", ") + row.content_type;
  return known;
}

}  // namespace micro

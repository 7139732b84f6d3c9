#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace micro {

/// What travels beside a message: a list of keys and values, in order.
///
/// Keys are ASCII, compared without regard to case and kept in lower case, as gRPC sends them. A
/// key may repeat. Keys that end in "-bin" carry any bytes; the transport encodes them. Everything
/// is kept in one block of memory: a view that is returned holds until the next change.
class Metadata {
 public:
  using Entry = std::pair<std::string_view, std::string_view>;

  Metadata() = default;
  Metadata(std::initializer_list<Entry> entries);

  /// Adds an entry, also where the key is there already.
  void Add(std::string_view key, std::string_view value);
  /// Makes `value` the only one of `key`.
  void Set(std::string_view key, std::string_view value);
  /// Removes every entry of `key`; says how many there were.
  std::size_t Remove(std::string_view key);
  /// The first value of `key`.
  std::optional<std::string_view> Get(std::string_view key) const;
  bool Has(std::string_view key) const { return Get(key).has_value(); }
  /// All values of `key`, in order.
  std::vector<std::string_view> GetAll(std::string_view key) const;
  /// Adds all entries of `other`.
  void Append(const Metadata& other);

  std::size_t size() const { return slots_.size(); }
  bool empty() const { return slots_.empty(); }
  /// The bytes that keys and values take.
  std::size_t bytes() const { return text_.size(); }
  /// Forgets all entries and keeps the memory.
  void Clear();

  Entry operator[](std::size_t index) const { return At(slots_[index]); }

  class Iterator {
   public:
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Iterator() = default;
    Iterator(const Metadata* metadata, std::size_t index) : metadata_(metadata), index_(index) {}
    Entry operator*() const { return (*metadata_)[index_]; }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++index_;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const Metadata* metadata_ = nullptr;
    std::size_t index_ = 0;
  };

  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, slots_.size()}; }

  friend bool operator==(const Metadata& a, const Metadata& b);

 private:
  struct Slot {
    std::uint32_t offset = 0;
    std::uint32_t key = 0;
    std::uint32_t value = 0;
  };

  Entry At(const Slot& slot) const {
    const std::string_view text(text_);
    return {text.substr(slot.offset, slot.key), text.substr(slot.offset + slot.key, slot.value)};
  }

  std::string text_;
  std::vector<Slot> slots_;
};

/// A key as Go's frameworks show it: "micro-trace-id" becomes "Micro-Trace-Id". The first letter is
/// raised, and every letter behind a character other than letter, digit and underscore.
std::string TitleCase(std::string_view key);

}  // namespace micro

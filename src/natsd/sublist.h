#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "natsd/subject.h"

namespace micro::natsd {

class Peer;

/// That somebody wants what is published to a subject: a client, or another server by its route.
struct Subscription {
  Peer* peer = nullptr;
  std::string subject = {};
  std::string queue = {};       ///< empty: none
  std::string sid = {};         ///< a client's name for it
  std::uint64_t delivered = 0;  ///< messages, since it was made
  std::uint64_t max = 0;        ///< after so many it ends; 0: never
  std::uint32_t weight = 1;     ///< how many members of `queue` are behind it

  void* node = nullptr;  ///< where the Sublist has it
  std::size_t place = 0;
};

/// Whether what a subject reaches may have changed since the mark was made. Good for as long as its
/// Sublist.
class SublistMark {
 public:
  SublistMark() = default;
  SublistMark(const std::uint64_t& literal, const std::uint64_t& first, const std::uint64_t& wide)
      : literal_(&literal), first_(&first), wide_(&wide), sum_(literal + first + wide) {}

  bool fresh() const { return literal_ != nullptr && *literal_ + *first_ + *wide_ == sum_; }

 private:
  const std::uint64_t* literal_ = nullptr;  // these only grow
  const std::uint64_t* first_ = nullptr;
  const std::uint64_t* wide_ = nullptr;
  std::uint64_t sum_ = 0;
};

/// All subscriptions of one account, found by the subjects they match. Not thread-safe.
class Sublist {
 public:
  Sublist() = default;
  Sublist(const Sublist&) = delete;
  Sublist& operator=(const Sublist&) = delete;

  /// `subscription` must stay where it is until it is removed; its subject is a valid pattern.
  void Insert(Subscription& subscription);
  void Remove(Subscription& subscription);

  /// Adds every subscription that `subject` reaches to `out`. A token "*" or ">" of it is no
  /// wildcard; a subject with an empty token reaches nobody.
  void Match(std::string_view subject, std::vector<Subscription*>& out);

  std::size_t size() const { return size_; }
  std::uint64_t inserts() const { return inserts_; }
  std::uint64_t removes() const { return removes_; }

  /// Remembers how things stand for `subject`, which has this hash.
  SublistMark MarkOf(std::string_view subject, std::uint64_t hash) const {
    return {literal_[hash % kLiteralStripes], first_[HashOf(FirstToken(subject)) % kStripes],
            wide_};
  }
  /// Changes whenever anything changes.
  std::uint64_t epoch() const { return epoch_; }
  /// Takes all that was found before as changed.
  void Touch() {
    ++wide_;
    ++epoch_;
  }
  /// Takes what was found for the subscription's subjects as changed.
  void Touch(const Subscription& subscription);

 private:
  static constexpr std::size_t kStripes = 256;
  static constexpr std::size_t kLiteralStripes = 4096;

  // A level of the tree: one token of a pattern, and what may come after it.
  struct Node {
    Node(Node* above, std::string_view text) : parent(above), token(text) {}

    Node* parent;
    const std::string token;
    std::unordered_map<std::string_view, std::unique_ptr<Node>, StringHash> children;  // by token
    std::unique_ptr<Node> star;                                                        // "*"
    std::unique_ptr<Node> rest;                                                        // ">"
    std::vector<Subscription*> subscriptions;

    bool empty() const {
      return subscriptions.empty() && children.empty() && star == nullptr && rest == nullptr;
    }
  };

  static Node& ChildOf(Node& node, std::string_view token);
  static void Take(const Node& node, std::vector<Subscription*>& out);
  static void MatchBelow(const Node& node, std::string_view subject,
                         std::vector<Subscription*>& out);
  static void Prune(Node* node);

  Node root_{nullptr, ""};
  std::size_t size_ = 0;
  std::uint64_t inserts_ = 0;
  std::uint64_t removes_ = 0;
  std::uint64_t epoch_ = 0;
  std::array<std::uint64_t, kLiteralStripes> literal_{};  // by the hash of a subject
  std::array<std::uint64_t, kStripes> first_{};  // of patterns, by the hash of their first token
  std::uint64_t wide_ = 0;                       // of patterns whose first token is a wildcard
};

}  // namespace micro::natsd

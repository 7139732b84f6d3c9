#include "natsd/sublist.h"

#include "natsd/subject_pattern.h"

namespace micro::natsd {
namespace {

bool IsWildcard(std::string_view token) { return token == "*" || token == ">"; }

std::string_view AfterFirst(std::string_view subject, std::size_t token) {
  return subject.substr(token + 1);
}

}  // namespace

Sublist::Node& Sublist::ChildOf(Node& node, std::string_view token) {
  if (IsWildcard(token)) {
    auto& child = token == "*" ? node.star : node.rest;
    if (child == nullptr) child = std::make_unique<Node>(&node, token);
    return *child;
  }
  const auto found = node.children.find(token);
  if (found != node.children.end()) return *found->second;
  auto made = std::make_unique<Node>(&node, token);
  Node& child = *made;
  node.children.emplace(child.token, std::move(made));
  return child;
}

void Sublist::Insert(Subscription& subscription) {
  Node* node = &root_;
  std::string_view subject = subscription.subject;
  while (true) {
    const std::string_view token = FirstToken(subject);
    node = &ChildOf(*node, token);
    if (token.size() == subject.size()) break;
    subject = AfterFirst(subject, token.size());
  }
  subscription.node = node;
  subscription.place = node->subscriptions.size();
  node->subscriptions.push_back(&subscription);
  ++size_;
  ++inserts_;
  Touch(subscription);
}

void Sublist::Remove(Subscription& subscription) {
  auto* node = static_cast<Node*>(subscription.node);
  if (node == nullptr) return;
  Subscription* last = node->subscriptions.back();
  node->subscriptions[subscription.place] = last;
  last->place = subscription.place;
  node->subscriptions.pop_back();
  subscription.node = nullptr;
  Prune(node);
  --size_;
  ++removes_;
  Touch(subscription);
}

void Sublist::Touch(const Subscription& subscription) {
  ++epoch_;
  const std::string_view subject = subscription.subject;
  if (!HasWildcard(subject)) {
    ++literal_[HashOf(subject) % kLiteralStripes];
  } else if (const std::string_view first = FirstToken(subject); !IsWildcard(first)) {
    ++first_[HashOf(first) % kStripes];
  } else {
    ++wide_;
  }
}

// Removes levels that nobody needs any more.
void Sublist::Prune(Node* node) {
  while (node->parent != nullptr && node->empty()) {
    Node* parent = node->parent;
    if (parent->star.get() == node) {
      parent->star.reset();
    } else if (parent->rest.get() == node) {
      parent->rest.reset();
    } else {
      const auto found = parent->children.find(node->token);
      parent->children.erase(found);
    }
    node = parent;
  }
}

void Sublist::Take(const Node& node, std::vector<Subscription*>& out) {
  out.insert(out.end(), node.subscriptions.begin(), node.subscriptions.end());
}

// As deep as the shallower of the subject and the patterns: the control line bounds both.
void Sublist::MatchBelow(const Node& node, std::string_view subject,
                         std::vector<Subscription*>& out) {
  if (node.rest != nullptr) Take(*node.rest, out);
  const std::string_view token = FirstToken(subject);
  const auto go_on = [&](const Node& child) {
    if (token.size() == subject.size()) return Take(child, out);
    MatchBelow(child, AfterFirst(subject, token.size()), out);
  };
  if (node.star != nullptr) go_on(*node.star);
  if (node.children.empty()) return;
  const auto found = node.children.find(token);
  if (found != node.children.end()) go_on(*found->second);
}

void Sublist::Match(std::string_view subject, std::vector<Subscription*>& out) {
  if (HasWholeTokens(subject)) MatchBelow(root_, subject, out);
}

}  // namespace micro::natsd

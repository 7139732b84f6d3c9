#include "registry/static/address_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

namespace micro::static_registry {
namespace {

Failure CannotRead(const std::string& path) {
  return InvalidArgument("cannot read " + path + ": " + std::generic_category().message(errno));
}

}  // namespace

Result<AddressFile::Stamp> AddressFile::Look() const {
  struct stat state{};
  if (stat(path_.c_str(), &state) != 0) return CannotRead(path_);
  if (S_ISDIR(state.st_mode)) return InvalidArgument("cannot read " + path_ + ": a directory");
  return Stamp{.seconds = state.st_mtim.tv_sec,
               .nanoseconds = state.st_mtim.tv_nsec,
               .size = static_cast<std::uint64_t>(state.st_size),
               .inode = state.st_ino};
}

Status AddressFile::Read() {
  std::ifstream file(path_);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return CannotRead(path_);
  Entries entries;
  faults_ = AddEntries(text.str(), path_, entries);
  if (entries.empty() && !faults_.empty()) return InvalidArgument(faults_.front());
  entries_ = std::move(entries);
  return Ok();
}

Result<bool> AddressFile::Refresh() {
  const auto stamp = Look();
  if (!stamp) {
    if (std::exchange(missing_, true)) return false;
    stamp_.reset();
    return Fails(stamp.error());
  }
  missing_ = false;
  if (stamp_ == *stamp) return false;
  stamp_ = *stamp;
  if (const Status read = Read(); !read) return Fails(read.error());
  return true;
}

}  // namespace micro::static_registry

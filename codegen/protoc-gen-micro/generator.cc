#include "generator.h"

#include <memory>
#include <string>

#include <google/protobuf/compiler/cpp/names.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/printer.h>
#include <google/protobuf/io/zero_copy_stream.h>

#include "check.h"
#include "print.h"

namespace micro::codegen {
namespace {

using google::protobuf::FileDescriptor;
using google::protobuf::compiler::GeneratorContext;

using Print = void (*)(const FileDescriptor&, google::protobuf::io::Printer&);

void Write(const FileDescriptor& file, const std::string& suffix, Print print,
           GeneratorContext& context) {
  const std::unique_ptr<google::protobuf::io::ZeroCopyOutputStream> output(
      context.Open(google::protobuf::compiler::cpp::StripProto(file.name()) + suffix));
  google::protobuf::io::Printer printer(output.get(), '$');
  print(file, printer);
}

}  // namespace

bool Generator::Generate(const FileDescriptor* file, const std::string& parameter,
                         GeneratorContext* context, std::string* error) const {
  if (!parameter.empty()) {
    *error = "unknown parameter \"" + parameter + "\": protoc-gen-micro takes none";
    return false;
  }
  *error = FindError(*file);
  if (!error->empty()) return false;
  Write(*file, ".micro.h", PrintHeader, *context);
  Write(*file, ".micro.cc", PrintSource, *context);
  return true;
}

}  // namespace micro::codegen

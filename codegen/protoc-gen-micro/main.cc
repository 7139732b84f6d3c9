#include <cstdio>
#include <cstring>

#include <google/protobuf/compiler/plugin.h>

#include "micro/version.h"

#include "generator.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::printf("protoc-gen-micro " MICRO_VERSION ", generated code of version %d\n",
                MICRO_CODEGEN_VERSION);
    return 0;
  }
  const micro::codegen::Generator generator;
  return google::protobuf::compiler::PluginMain(argc, argv, &generator);
}

#pragma once

/// What generated code demands of the library: a file made by a protoc-gen-micro of another number
/// does not compile. It grows whenever generated code and library change together.
#define MICRO_CODEGEN_VERSION 1

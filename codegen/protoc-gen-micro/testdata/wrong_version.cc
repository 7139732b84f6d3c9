// Must not compile: the file included last was made for version 1.
#include <micro/version.h>

#undef MICRO_CODEGEN_VERSION
#define MICRO_CODEGEN_VERSION 2

#include "greeter.micro.h"

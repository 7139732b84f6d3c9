# How the project itself is built: language level, warnings, sanitizers, linker, dependencies.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1" CACHE STRING "" FORCE)

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Nghttp2 REQUIRED)
find_package(Nats REQUIRED)

find_program(MICRO_CCACHE ccache)
if(MICRO_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MICRO_CCACHE})
endif()
find_program(MICRO_MOLD mold)

# What every target of ours is compiled with; a user's targets are not touched.
add_library(micro_build INTERFACE)
target_compile_options(micro_build INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>
  $<$<BOOL:${MICRO_WERROR}>:-Werror>)
target_include_directories(micro_build INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_definitions(micro_build INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ERROR_CODE_HEADER_ONLY)
if(MICRO_MOLD)
  target_link_options(micro_build INTERFACE -fuse-ld=mold)
endif()
if(MICRO_SANITIZE)
  # A third less time to compile; coroutines still need their tail calls.
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1 -foptimize-sibling-calls")
  add_compile_options(-fsanitize=${MICRO_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MICRO_SANITIZE})
  # GCC 12 sees what is not there in code that it has instrumented, such as Beast's parser.
  target_compile_options(micro_build INTERFACE -Wno-maybe-uninitialized)
  # ThreadSanitizer does not understand the fences Asio puts around handlers, and GCC says so.
  if(MICRO_SANITIZE MATCHES thread)
    target_compile_definitions(micro_build INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()

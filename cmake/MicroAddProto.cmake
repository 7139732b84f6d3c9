# micro_add_proto(target a.proto b/c.proto... [IMPORT_DIRS dir...])
#
# Gives `target` the messages, handler bases and clients of .proto files: a.pb.h and a.micro.h,
# included by the name the file is imported by, and the code behind them. A target that does not
# exist is made, as a static library. It is linked with micro::micro.
#
# Files are imported relative to IMPORT_DIRS, or else to the current source directory, and may be
# named relative to either. Those that are only imported need not be named, if their code comes with
# another target.

include_guard(GLOBAL)

function(micro_add_proto target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "IMPORT_DIRS")
  _micro_check_target(${target} ${arg_UNPARSED_ARGUMENTS})
  if(NOT TARGET ${target})
    add_library(${target} STATIC)
  endif()
  _micro_import_dirs(roots ${arg_IMPORT_DIRS})
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${target}.proto)
  foreach(proto ${arg_UNPARSED_ARGUMENTS})
    _micro_find_file(file "${proto}" "${roots}")
    _micro_import_name(name "${file}" "${roots}")
    _micro_generate(sources "${file}" "${name}" "${roots}" "${output}")
    target_sources(${target} PRIVATE ${sources})
  endforeach()
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${output}>)
  target_link_libraries(${target} PUBLIC micro::micro)
endfunction()

function(_micro_check_target target)
  if(NOT ARGN)
    message(FATAL_ERROR "micro_add_proto(${target}): no .proto files are given")
  elseif(NOT TARGET ${target})
    return()
  endif()
  get_target_property(type ${target} TYPE)
  get_target_property(directory ${target} SOURCE_DIR)
  if(type STREQUAL "INTERFACE_LIBRARY")
    message(FATAL_ERROR "micro_add_proto(${target}): an interface library cannot hold code")
  elseif(NOT directory STREQUAL CMAKE_CURRENT_SOURCE_DIR)
    message(FATAL_ERROR "micro_add_proto(${target}): the target is made in ${directory}; "
      "call micro_add_proto there")
  endif()
endfunction()

# The import directories as absolute paths, the current source directory last.
function(_micro_import_dirs result)
  set(roots)
  foreach(dir ${ARGN} ${CMAKE_CURRENT_SOURCE_DIR})
    cmake_path(ABSOLUTE_PATH dir BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    string(REGEX REPLACE "(.)/$" "\\1" dir "${dir}")
    if(NOT IS_DIRECTORY "${dir}")
      message(FATAL_ERROR "micro_add_proto: IMPORT_DIRS names ${dir}, which is no directory")
    endif()
    list(APPEND roots "${dir}")
  endforeach()
  list(REMOVE_DUPLICATES roots)
  set(${result} "${roots}" PARENT_SCOPE)
endfunction()

# Which file `proto` is: relative to the current source directory, or else to an import directory.
function(_micro_find_file result proto roots)
  foreach(root ${CMAKE_CURRENT_SOURCE_DIR} ${roots})
    cmake_path(ABSOLUTE_PATH proto BASE_DIRECTORY "${root}" NORMALIZE OUTPUT_VARIABLE file)
    if(file MATCHES "\\.proto$" AND EXISTS "${file}")
      set(${result} "${file}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  list(JOIN roots "\n  " searched)
  message(FATAL_ERROR "micro_add_proto: there is no .proto file ${proto} in\n  ${searched}")
endfunction()

# The name `file` is imported by: as in protoc, the first import directory above it decides.
function(_micro_import_name result file roots)
  foreach(root ${roots})
    cmake_path(IS_PREFIX root "${file}" NORMALIZE is_below)
    if(is_below)
      cmake_path(RELATIVE_PATH file BASE_DIRECTORY "${root}" OUTPUT_VARIABLE name)
      set(${result} "${name}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  list(JOIN roots "\n  " searched)
  message(FATAL_ERROR "micro_add_proto: ${file} lies below no import directory; name one in "
    "IMPORT_DIRS beside\n  ${searched}")
endfunction()

# The rule that makes the four files of one .proto file.
function(_micro_generate result file name roots output)
  if(NOT TARGET protobuf::protoc)
    find_package(Protobuf REQUIRED)
  endif()
  string(REGEX REPLACE "\\.proto$" "" base "${output}/${name}")
  # Ninja wants the output first that protoc's dependency file names first: they are sorted there.
  set(files ${base}.micro.cc ${base}.micro.h ${base}.pb.cc ${base}.pb.h)
  list(TRANSFORM roots PREPEND "-I")
  file(MAKE_DIRECTORY "${output}")
  add_custom_command(
    OUTPUT ${files}
    COMMAND protobuf::protoc
      "--plugin=protoc-gen-micro=$<TARGET_FILE:micro::protoc-gen-micro>"
      "--cpp_out=${output}" "--micro_out=${output}" "--dependency_out=${base}.d"
      ${roots} "${file}"
    DEPENDS "${file}" protobuf::protoc micro::protoc-gen-micro
    DEPFILE "${base}.d"
    COMMENT "Generating ${name}'s .pb and .micro files"
    VERBATIM)
  set(${result} "${files}" PARENT_SCOPE)
endfunction()

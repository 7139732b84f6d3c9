# `cmake --install`: headers, library, generator, and the package find_package(micro) finds.

include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/micro)

install(TARGETS micro protoc-gen-micro EXPORT micro-targets)
install(EXPORT micro-targets NAMESPACE micro:: DESTINATION ${package_dir})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/micro DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h" PATTERN "*.def")

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/micro-config.cmake.in
  ${PROJECT_BINARY_DIR}/micro-config.cmake INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/micro-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/micro-config.cmake
  ${PROJECT_BINARY_DIR}/micro-config-version.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindNats.cmake
  ${PROJECT_SOURCE_DIR}/cmake/FindNghttp2.cmake
  ${PROJECT_SOURCE_DIR}/cmake/MicroAddProto.cmake
  DESTINATION ${package_dir})

# The installed package: find_package(phoenix) gives phoenix::net, phoenix::codec, phoenix::crdt and phoenix::replication above them.
# Headers stand where the tree's own includes expect them, <phoenix/net/...>; detail/ stays at home.
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/phoenix")

get_property(libraries GLOBAL PROPERTY PHOENIX_LIBRARIES)
install(TARGETS phoenix_options ${libraries} EXPORT phoenix_targets)
install(EXPORT phoenix_targets NAMESPACE phoenix:: FILE phoenix-targets.cmake DESTINATION "${package_dir}")
foreach(folder IN LISTS PHOENIX_FOLDERS)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/phoenix"
    FILES_MATCHING PATTERN "*.hpp" PATTERN detail EXCLUDE)
endforeach()
install(FILES "${PHOENIX_INCLUDE_DIR}/phoenix/config.hpp" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/phoenix")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/phoenix-config.cmake.in"
  "${PROJECT_BINARY_DIR}/phoenix-config.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/phoenix-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
  "${PROJECT_BINARY_DIR}/phoenix-config.cmake" "${PROJECT_BINARY_DIR}/phoenix-config-version.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindAsio.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindLiburing.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/FindXxhash.cmake"
  DESTINATION "${package_dir}")

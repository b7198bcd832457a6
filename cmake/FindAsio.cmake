# Standalone Asio (headers only): the target asio::asio.
find_path(ASIO_INCLUDE_DIR asio.hpp)
mark_as_advanced(ASIO_INCLUDE_DIR)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Asio
  REQUIRED_VARS ASIO_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libasio-dev (scripts/install-dependencies does)")
if(Asio_FOUND AND NOT TARGET asio::asio)
  find_package(Threads REQUIRED)
  add_library(asio::asio INTERFACE IMPORTED)
  target_include_directories(asio::asio INTERFACE "${ASIO_INCLUDE_DIR}")
  # Asio 1.22 does not see the coroutines of clang with libstdc++ by itself.
  target_compile_definitions(asio::asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_HAS_CO_AWAIT=1)
  target_link_libraries(asio::asio INTERFACE Threads::Threads)
endif()

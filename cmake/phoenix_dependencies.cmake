# Everything that Phoenix stands on, found once.
find_package(Threads REQUIRED)
find_package(Asio REQUIRED)

find_package(Xxhash REQUIRED)
find_package(Flatbuffers REQUIRED)
# SHA-256 and HMAC of sessions.
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
# Headers alone: the flat hash map and small vectors of crdt.
find_package(Boost 1.81 REQUIRED)

set(PHOENIX_HAS_URING 0)
if(PHOENIX_URING)
  find_package(Liburing REQUIRED)
  set(PHOENIX_HAS_URING 1)
endif()

if(PHOENIX_TESTS)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  # The shared library of Boost.Test, whatever BUILD_SHARED_LIBS says about our own.
  set(Boost_USE_STATIC_LIBS OFF)
  find_package(Boost 1.81 REQUIRED COMPONENTS unit_test_framework)
endif()

configure_file("${PROJECT_SOURCE_DIR}/cmake/config.hpp.in" "${PHOENIX_INCLUDE_DIR}/phoenix/config.hpp" @ONLY)

# FlatBuffers (headers only): the target flatbuffers::headers, and FLATC_EXECUTABLE, the compiler of schemas.
find_path(FLATBUFFERS_INCLUDE_DIR flatbuffers/flatbuffers.h)
find_program(FLATC_EXECUTABLE flatc)
mark_as_advanced(FLATBUFFERS_INCLUDE_DIR FLATC_EXECUTABLE)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Flatbuffers
  REQUIRED_VARS FLATBUFFERS_INCLUDE_DIR FLATC_EXECUTABLE
  REASON_FAILURE_MESSAGE "install libflatbuffers-dev and flatbuffers-compiler (scripts/install-dependencies does)")
if(Flatbuffers_FOUND AND NOT TARGET flatbuffers::headers)
  add_library(flatbuffers::headers INTERFACE IMPORTED)
  target_include_directories(flatbuffers::headers INTERFACE "${FLATBUFFERS_INCLUDE_DIR}")
endif()

# What every target of the tree shares: the language level, warnings, sanitizers and the include folder
# <build>/include/phoenix, which holds a link to each top-level folder and the generated config.hpp.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# Not a parent's: what it builds with is its own affair.
if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(PHOENIX_CCACHE ccache)
if(PHOENIX_CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_C_COMPILER_LAUNCHER "${PHOENIX_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${PHOENIX_CCACHE}")
endif()

set(PHOENIX_INCLUDE_DIR "${PROJECT_BINARY_DIR}/include")
file(MAKE_DIRECTORY "${PHOENIX_INCLUDE_DIR}/phoenix")
set(PHOENIX_FOLDERS "")
foreach(folder IN ITEMS net codec crdt replication)
  if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}")
    list(APPEND PHOENIX_FOLDERS "${folder}")
    file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${folder}" "${PHOENIX_INCLUDE_DIR}/phoenix/${folder}" SYMBOLIC)
  endif()
endforeach()

add_library(phoenix_options INTERFACE)
set_target_properties(phoenix_options PROPERTIES EXPORT_NAME options)
target_compile_features(phoenix_options INTERFACE cxx_std_20)
target_include_directories(phoenix_options INTERFACE
  "$<BUILD_INTERFACE:${PHOENIX_INCLUDE_DIR}>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")

# Private to the tree: not part of what users inherit. Link it as $<BUILD_INTERFACE:phoenix_warnings>.
add_library(phoenix_warnings INTERFACE)
target_compile_options(phoenix_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wnon-virtual-dtor -Wconversion -Wno-sign-conversion>
  # g++ counts a constructor's parameter that is named like a member as shadowing, clang does not.
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wshadow=local> $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wshadow>
  # g++ 12.2 finds bounds broken inside inlined standard and Boost containers, where they are not.
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-array-bounds -Wno-stringop-overflow>
  $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra>)
if(PHOENIX_WERROR)
  target_compile_options(phoenix_warnings INTERFACE -Werror)
endif()

if(PHOENIX_SANITIZE)
  add_compile_options(-fsanitize=${PHOENIX_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${PHOENIX_SANITIZE})
endif()
if(PHOENIX_FUZZERS)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Sets `out` to the sources that the folder's sources.txt names, one a line. CMake and Meson read the same
# file, and tests/house/source_lists.py holds it equal to the tree. The io_uring driver is left out of builds without it.
function(phoenix_sources out)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/sources.txt")
  file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/sources.txt" sources)
  if(NOT PHOENIX_HAS_URING)
    list(FILTER sources EXCLUDE REGEX "^uring/")
  endif()
  set(${out} "${sources}" PARENT_SCOPE)
endfunction()

# A library of the house: target phoenix_<name>, alias and exported name phoenix::<name>, its sources from sources.txt.
function(phoenix_library name)
  phoenix_sources(sources)
  add_library(phoenix_${name} ${sources})
  add_library(phoenix::${name} ALIAS phoenix_${name})
  set_target_properties(phoenix_${name} PROPERTIES
    EXPORT_NAME ${name} VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  target_link_libraries(phoenix_${name} PUBLIC phoenix_options PRIVATE $<BUILD_INTERFACE:phoenix_warnings>)
  set_property(GLOBAL APPEND PROPERTY PHOENIX_LIBRARIES phoenix_${name})
endfunction()

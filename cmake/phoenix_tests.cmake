# Environment of every test: where the sanitizers find their suppressions and how they fail.
set(PHOENIX_TEST_ENVIRONMENT
  "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1"
  "UBSAN_OPTIONS=print_stacktrace=1"
  "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp:second_deadlock_stack=1:die_after_fork=0")

# The tests of one folder: one Boost.Test binary phoenix_tests_<name> from its sources.txt. ctest sees one test for each
# top-level suite, named <name>/<suite>, found by asking the binary after it is linked.
function(phoenix_boost_tests name)
  phoenix_sources(sources)
  set(target phoenix_tests_${name})
  add_executable(${target} ${sources})
  target_compile_definitions(${target} PRIVATE BOOST_TEST_DYN_LINK)
  target_link_libraries(${target} PRIVATE phoenix_warnings Boost::unit_test_framework ${ARGN})
  if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/pch/precompiled.hpp")
    target_precompile_headers(${target} PRIVATE pch/precompiled.hpp)
  endif()

  set(found "${CMAKE_CURRENT_BINARY_DIR}/${target}.cmake")
  if(NOT EXISTS "${found}")
    file(WRITE "${found}" "add_test(\"${name}/not_built\" \"${target} is not built\")\n")
  endif()
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${found}")
  add_custom_command(TARGET ${target} POST_BUILD VERBATIM
    COMMAND "${CMAKE_COMMAND}" "-DEXECUTABLE=$<TARGET_FILE:${target}>" "-DNAME=${name}" "-DOUTPUT=${found}"
            "-DENVIRONMENT=${PHOENIX_TEST_ENVIRONMENT}" -P "${PROJECT_SOURCE_DIR}/cmake/discover_suites.cmake")
endfunction()

# A test that is a command: phoenix_command_test(NAME COMMAND ARGUMENTS...).
function(phoenix_command_test name)
  add_test(NAME "${name}" COMMAND ${ARGN} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties("${name}" PROPERTIES TIMEOUT 300 ENVIRONMENT "${PHOENIX_TEST_ENVIRONMENT}")
endfunction()

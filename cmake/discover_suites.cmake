# Runs after a test binary is linked: writes one ctest test for each top-level suite that the binary lists.
# Takes EXECUTABLE, NAME, OUTPUT and ENVIRONMENT. A suite whose every case was skipped (a precondition does not hold on
# this machine) counts as skipped, not as passed.
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND "${EXECUTABLE}" --list_content
  OUTPUT_VARIABLE listed ERROR_VARIABLE listed RESULT_VARIABLE result)
# Top-level names stand at the margin; a star marks what is enabled, a description may follow.
string(REPLACE "\n" ";" lines "${listed}")
set(content "")
set(seen "")
foreach(line IN LISTS lines)
  if(line MATCHES "^([A-Za-z_][A-Za-z0-9_]*)\\*(:.*)?$" AND NOT CMAKE_MATCH_1 IN_LIST seen)
    set(suite "${CMAKE_MATCH_1}")
    list(APPEND seen "${suite}")
    string(APPEND content
      "add_test([==[${NAME}/${suite}]==] [==[${EXECUTABLE}]==] [==[--run_test=${suite}]==] "
      "--log_level=test_suite --report_level=short --color_output=no)\n"
      "set_tests_properties([==[${NAME}/${suite}]==] PROPERTIES TIMEOUT 300 ENVIRONMENT [==[${ENVIRONMENT}]==]\n"
      "  SKIP_REGULAR_EXPRESSION \"passed with:\\n *[0-9]+ test cases? out of [0-9]+ skipped\")\n")
  endif()
endforeach()
if(NOT result EQUAL 0 OR NOT seen)
  message(FATAL_ERROR "${EXECUTABLE} --list_content named no test suite (result ${result}):\n${listed}")
endif()
file(WRITE "${OUTPUT}" "${content}")

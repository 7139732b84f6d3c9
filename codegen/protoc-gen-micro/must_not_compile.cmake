# Passes when COMMAND, a compiler's, fails and says EXPECTED.
#
#   cmake "-DCOMMAND=g++;-fsyntax-only;a.cc" -DEXPECTED=regex -P must_not_compile.cmake

execute_process(COMMAND ${COMMAND} ERROR_VARIABLE stderr RESULT_VARIABLE exit_code)
if(exit_code EQUAL 0)
  message(FATAL_ERROR "it compiles")
elseif(NOT stderr MATCHES "${EXPECTED}")
  message(FATAL_ERROR "it fails for another reason than expected:\n${stderr}")
endif()

# Runs protoc with the plugin on one .proto file and compares what comes out, stderr included, with
# the files that stand next to it. MICRO_UPDATE_GOLDEN=1 in the environment writes them instead.
#
#   cmake -DPROTOC=... -DPLUGIN=... -DTESTDATA=... -DPROTO=a.proto -DOUTPUT=... -P golden_test.cmake

get_filename_component(stem ${PROTO} NAME_WLE)
get_filename_component(folder ${PROTO} DIRECTORY)
string(JOIN "/" stem ${folder} ${stem})

file(REMOVE_RECURSE ${OUTPUT})
file(MAKE_DIRECTORY ${OUTPUT}/${folder})
execute_process(
  COMMAND ${PROTOC} --plugin=protoc-gen-micro=${PLUGIN} --micro_out=${OUTPUT} -I. ${PROTO}
  WORKING_DIRECTORY ${TESTDATA} ERROR_VARIABLE stderr RESULT_VARIABLE exit_code)
if(stderr)
  file(WRITE ${OUTPUT}/${stem}.stderr "${stderr}")
endif()

function(update made expected)
  file(REMOVE ${expected})
  if(EXISTS ${made})
    configure_file(${made} ${expected} COPYONLY)
  endif()
endfunction()

if(PROTO MATCHES "^errors/" AND exit_code EQUAL 0)
  message(FATAL_ERROR "code was made of ${PROTO}, which is in error")
elseif(NOT PROTO MATCHES "^errors/" AND NOT exit_code EQUAL 0)
  message(FATAL_ERROR "${stderr}")
endif()

foreach(suffix micro.h micro.cc stderr)
  set(made ${OUTPUT}/${stem}.${suffix})
  set(expected ${TESTDATA}/${stem}.${suffix})
  if("$ENV{MICRO_UPDATE_GOLDEN}")
    update(${made} ${expected})
  elseif(EXISTS ${made} OR EXISTS ${expected})
    execute_process(COMMAND diff -uN ${expected} ${made} RESULT_VARIABLE differs)
    if(differs)
      message(SEND_ERROR "${stem}.${suffix} is not what is expected; if it should be, run the "
        "test once with MICRO_UPDATE_GOLDEN=1")
    endif()
  endif()
endforeach()

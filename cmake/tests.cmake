# Tests: one program per folder of tests/unit (so that a change rebuilds little), plus the property tests and the simulation.
#   tests/unit/gateway/<module>/*_test.cpp  → unit_<module>
#   tests/unit/adapters/<name>/*_test.cpp   → unit_adapter_<name>
#   tests/property/<module>/*_test.cpp      → property_<module>
# Catch2 2.13 and 3.x both serve, through tests/catch.hpp.

find_package(Catch2 REQUIRED)
find_package(rapidcheck QUIET)

add_library(touchgate_test_main STATIC ${CMAKE_SOURCE_DIR}/tests/test_main.cpp)
target_link_libraries(touchgate_test_main PRIVATE touchgate_options PUBLIC Catch2::Catch2)

# The disk that loses what was not synced, for tests of whatever writes to one.
add_library(touchgate_test_disk STATIC ${CMAKE_SOURCE_DIR}/tests/simulation/faulty_disk.cpp)
target_link_libraries(touchgate_test_disk PRIVATE touchgate_options PUBLIC touchgate_touch_log)

function(touchgate_test_program name folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE touchgate_options touchgate_test_main Threads::Threads ${ARGN})
  if(name MATCHES "_(touch_log|engine|projection|net|http|app)$")
    target_link_libraries(${name} PRIVATE touchgate_test_disk)
  endif()
  target_compile_definitions(${name} PRIVATE TOUCHGATE_SOURCE_DIR=".")
  target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/catch.hpp ${CMAKE_SOURCE_DIR}/gateway/json/json.hpp)
  target_compile_options(${name} PRIVATE -O0)  # tests are compiled more often than they are run; what they test is optimised
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_property(GLOBAL APPEND PROPERTY TOUCHGATE_TESTS ${name})
endfunction()

file(GLOB folders CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/gateway/*)
foreach(folder ${folders})
  if(NOT IS_DIRECTORY ${folder})
    continue()
  endif()
  get_filename_component(module ${folder} NAME)
  touchgate_test_program(unit_${module} ${folder} touchgate_${module})
endforeach()
file(GLOB folders CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/adapters/*)
foreach(folder ${folders})
  get_filename_component(name ${folder} NAME)
  if(name STREQUAL "sandbox")
    touchgate_test_program(unit_sandbox ${folder} touchgate_sandbox)
  elseif(TARGET touchgate_adapter_${name})
    touchgate_test_program(unit_adapter_${name} ${folder} touchgate_adapter_${name})
  endif()
endforeach()
file(GLOB folders CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/property/*)
foreach(folder ${folders})
  get_filename_component(module ${folder} NAME)
  touchgate_test_program(property_${module} ${folder} touchgate_${module} rapidcheck)
endforeach()
touchgate_test_program(unit_wecom_sandbox ${CMAKE_SOURCE_DIR}/tests/unit/wecom_sandbox touchgate_sandbox touchgate_adapters)
touchgate_test_program(unit_pbx_sandbox ${CMAKE_SOURCE_DIR}/tests/unit/pbx_sandbox touchgate_sandbox touchgate_adapter_asterisk_ari)
touchgate_test_program(unit_repository ${CMAKE_SOURCE_DIR}/tests/unit/repository)

foreach(part simulation bench fuzz integration/asterisk)
  if(EXISTS ${CMAKE_SOURCE_DIR}/tests/${part}/CMakeLists.txt)
    add_subdirectory(tests/${part})
  endif()
endforeach()

get_property(all_tests GLOBAL PROPERTY TOUCHGATE_TESTS)
add_custom_target(tests DEPENDS ${all_tests})

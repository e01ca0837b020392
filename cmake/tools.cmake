# Compiler options and the functions that declare modules, adapters and the sandbox.

find_program(CCACHE ccache)
if(CCACHE)
  # Paths are hashed relative to the source folder, so that a second clone or worktree finds what the first one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()
find_program(MOLD mold)

add_library(touchgate_options INTERFACE)
target_include_directories(touchgate_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(touchgate_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # -fpch-preprocess lets ccache see through precompiled headers. GCC 12 reports false positives of these three in inlined library code.
  target_compile_options(touchgate_options INTERFACE -fpch-preprocess -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
if(MOLD)
  target_link_options(touchgate_options INTERFACE -fuse-ld=mold)
endif()
if(TOUCHGATE_SANITIZE)
  target_compile_options(touchgate_options INTERFACE -fsanitize=${TOUCHGATE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(touchgate_options INTERFACE -fsanitize=${TOUCHGATE_SANITIZE})
endif()

# touchgate_module(name NEEDS modules… LIBRARIES public… PRIVATE_LIBRARIES …): gateway/<name>/**/*.cpp
function(touchgate_module name)
  cmake_parse_arguments(ARG "" "" "NEEDS;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/gateway/${name}/*.cpp)
  if(sources)
    add_library(touchgate_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(touchgate_${name} PRIVATE touchgate_options ${ARG_PRIVATE_LIBRARIES})
  else()
    add_library(touchgate_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  list(TRANSFORM ARG_NEEDS PREPEND touchgate_)
  target_link_libraries(touchgate_${name} ${scope} ${ARG_NEEDS} ${ARG_LIBRARIES})
  if(sources AND EXISTS ${CMAKE_SOURCE_DIR}/gateway/${name}/precompiled.hpp)
    target_precompile_headers(touchgate_${name} PRIVATE ${CMAKE_SOURCE_DIR}/gateway/${name}/precompiled.hpp)
  endif()
endfunction()

# touchgate_embed(http docs/x.json name): the file's text as `std::string_view embedded::name()`, compiled into the module.
function(touchgate_embed module file name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${file})
  file(READ ${CMAKE_SOURCE_DIR}/${file} text)
  set(generated ${CMAKE_BINARY_DIR}/generated/${name}.cpp)
  file(CONFIGURE OUTPUT ${generated} CONTENT
"// Generated from ${file}.
#include <string_view>
namespace touchgate::embedded {
std::string_view ${name}();
std::string_view ${name}() { return R\"embedded(${text})embedded\"; }
}
" @ONLY)
  target_sources(touchgate_${module} PRIVATE ${generated})
endfunction()

# One library per folder of adapters/ (but the sandbox), and the generated list of them all. A folder without adapter.hpp holds what several
# adapters share; all of them may use it.
function(touchgate_adapters)
  cmake_parse_arguments(ARG "" "" "NEEDS;PRIVATE_LIBRARIES" ${ARGN})
  list(TRANSFORM ARG_NEEDS PREPEND touchgate_)
  file(GLOB folders CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/adapters/*/adapter.hpp)
  set(includes "")
  set(calls "")
  set(libraries "")
  set(shared "")
  file(GLOB parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/adapters/*)
  foreach(folder ${parts})
    get_filename_component(name ${folder} NAME)
    if(NOT IS_DIRECTORY ${folder} OR name STREQUAL "sandbox" OR EXISTS ${folder}/adapter.hpp)
      continue()
    endif()
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
    add_library(touchgate_adapter_${name} STATIC ${sources})
    # Of these folders each may use those before it in the alphabet.
    target_link_libraries(touchgate_adapter_${name} PUBLIC ${ARG_NEEDS} ${shared} PRIVATE touchgate_options ${ARG_PRIVATE_LIBRARIES})
    target_precompile_headers(touchgate_adapter_${name} PRIVATE ${CMAKE_SOURCE_DIR}/gateway/channel/adapter.hpp)
    list(APPEND shared touchgate_adapter_${name})
  endforeach()
  foreach(header ${folders})
    get_filename_component(folder ${header} DIRECTORY)
    get_filename_component(name ${folder} NAME)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*.cpp)
    add_library(touchgate_adapter_${name} STATIC ${sources})
    target_link_libraries(touchgate_adapter_${name} PUBLIC ${ARG_NEEDS} ${shared} PRIVATE touchgate_options ${ARG_PRIVATE_LIBRARIES})
    target_precompile_headers(touchgate_adapter_${name} PRIVATE ${CMAKE_SOURCE_DIR}/gateway/channel/adapter.hpp)
    string(APPEND includes "#include \"adapters/${name}/adapter.hpp\"\n")
    string(APPEND calls "        touchgate::adapters::${name}_adapter(),\n")
    list(APPEND libraries touchgate_adapter_${name})
  endforeach()
  set(generated ${CMAKE_BINARY_DIR}/generated/all_adapters.cpp)
  file(CONFIGURE OUTPUT ${generated} CONTENT
"// Generated from the folders under adapters/.
#include \"gateway/channel/adapter.hpp\"
${includes}
namespace touchgate::channel {
const std::vector<AdapterInfo>& all_adapters() {
    static const std::vector<AdapterInfo> adapters = {
${calls}    };
    return adapters;
}
}
" @ONLY)
  add_library(touchgate_adapters STATIC ${generated})
  target_link_libraries(touchgate_adapters PUBLIC touchgate_channel ${libraries} PRIVATE touchgate_options)
endfunction()

function(touchgate_sandbox)
  cmake_parse_arguments(ARG "" "" "NEEDS;PRIVATE_LIBRARIES" ${ARGN})
  list(TRANSFORM ARG_NEEDS PREPEND touchgate_)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/adapters/sandbox/*.cpp)
  if(sources)
    add_library(touchgate_sandbox STATIC ${sources})
    target_link_libraries(touchgate_sandbox PUBLIC ${ARG_NEEDS} PRIVATE touchgate_options ${ARG_PRIVATE_LIBRARIES})
    if(EXISTS ${CMAKE_SOURCE_DIR}/adapters/sandbox/precompiled.hpp)
      target_precompile_headers(touchgate_sandbox PRIVATE ${CMAKE_SOURCE_DIR}/adapters/sandbox/precompiled.hpp)
    endif()
  else()
    add_library(touchgate_sandbox INTERFACE)
  endif()
endfunction()

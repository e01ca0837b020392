# Third-party libraries, all from the distribution's packages. Each is named and justified in docs/dependencies.md.

find_package(Threads REQUIRED)
if(TOUCHGATE_SANITIZE MATCHES thread)
  # Asio's fences, which the sanitizer does not see, stand beside locks, which it does.
  target_compile_options(Threads::Threads INTERFACE -Wno-tsan)
endif()
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
if(NOT TARGET SQLite::SQLite3)
  add_library(SQLite::SQLite3 ALIAS SQLite3::SQLite3)
endif()
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(date REQUIRED)
find_package(absl REQUIRED)
find_package(CLI11 REQUIRED)
find_package(pugixml REQUIRED)

find_package(Boost 1.81 REQUIRED)  # Asio and Beast are headers only

find_path(MUSTACHE_INCLUDE kainjow/mustache.hpp REQUIRED)
add_library(kainjow::mustache INTERFACE IMPORTED)
set_target_properties(kainjow::mustache PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${MUSTACHE_INCLUDE})

# Debian 12's libphonenumber-dev asks for Boost 1.74's headers, which cannot stand beside 1.81's, so setup.sh unpacks that one package into
# a folder of the build instead of installing it. On newer systems the installed package is found.
find_path(PHONENUMBER_INCLUDE phonenumbers/phonenumberutil.h
  HINTS ${TOUCHGATE_DEPENDENCIES}/usr/include $ENV{TOUCHGATE_DEPENDENCIES}/usr/include ${CMAKE_SOURCE_DIR}/build/dependencies/usr/include REQUIRED)
find_library(PHONENUMBER_LIBRARY NAMES phonenumber libphonenumber.so.8 REQUIRED)
add_library(phonenumber::phonenumber INTERFACE IMPORTED)
set_target_properties(phonenumber::phonenumber PROPERTIES
  INTERFACE_INCLUDE_DIRECTORIES ${PHONENUMBER_INCLUDE}
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${PHONENUMBER_INCLUDE}
  INTERFACE_LINK_LIBRARIES "${PHONENUMBER_LIBRARY}")
find_library(PROTOBUF_LIBRARY NAMES protobuf REQUIRED)
set_property(TARGET phonenumber::phonenumber APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${PROTOBUF_LIBRARY})

find_path(UTF8PROC_INCLUDE utf8proc.h REQUIRED)
find_library(UTF8PROC_LIBRARY utf8proc REQUIRED)
add_library(utf8proc::utf8proc INTERFACE IMPORTED)
set_target_properties(utf8proc::utf8proc PROPERTIES INTERFACE_LINK_LIBRARIES ${UTF8PROC_LIBRARY})

# Of programs that run long; a sanitizer brings its own.
add_library(touchgate_allocator INTERFACE)
if(NOT TOUCHGATE_SANITIZE AND NOT TOUCHGATE_FUZZ)
  find_library(JEMALLOC_LIBRARY jemalloc)
  if(JEMALLOC_LIBRARY)
    target_link_libraries(touchgate_allocator INTERFACE ${JEMALLOC_LIBRARY})
  else()
    message(STATUS "jemalloc was not found: the C library's allocator serves, a tenth slower")
  endif()
endif()

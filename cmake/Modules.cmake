# SPDX-License-Identifier: Apache-2.0
# gb_module(NAME DIRECTORY dir [AS path] [FOLDERS dir…] [SOURCES file…] [LINKS module…] [LIBS target…])
#
# Makes the object library gb_NAME of all foo.c in dir, and finds by name
#   foo_test.c  a Check program, run by ctest as NAME/foo;
#   foo_fuzz.c  a libFuzzer target (preset "fuzz"); without libFuzzer it is linked to cmake/replay.c
#               and ctest runs it over foo_corpus/.
# FOLDERS names folders below dir whose sources, tests and fuzz targets belong to the module as well.
# Headers are included as "NAME/foo.h", or "PATH/foo.h" with AS. Each module has an include directory of
# its own that holds one link to its sources, so a header of a module that is not linked is not found.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

set(GB_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings
    -Wpointer-arith -Wvla -Wundef -Wformat=2 -Wcast-qual -Wimplicit-fallthrough -Wnull-dereference
    -Wconversion -Werror)
# Statement expressions (TAKE_PTR) are GNU C on purpose; clang says so under -Wpedantic. Limits are
# enumerators and JSON's numbers are doubles, so that the two meet; clang 19 has that in -Wextra.
if(CMAKE_C_COMPILER_ID MATCHES Clang)
    list(APPEND GB_WARNINGS -Wno-gnu-statement-expression -Wno-gnu-zero-variadic-macro-arguments
        -Wno-enum-float-conversion)
endif()

option(GB_SANITIZE "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(GB_FUZZ "libFuzzer targets (clang)" OFF)

add_library(gb_flags INTERFACE)
target_compile_definitions(gb_flags INTERFACE _GNU_SOURCE GB_VERSION="${PROJECT_VERSION}")
target_compile_options(gb_flags INTERFACE ${GB_WARNINGS})
if(GB_SANITIZE OR GB_FUZZ)
    target_compile_options(gb_flags INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(gb_flags INTERFACE -fsanitize=address,undefined)
endif()
if(GB_FUZZ)
    target_compile_options(gb_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(gb_module name)
    cmake_parse_arguments(ARG "" "DIRECTORY;AS" "FOLDERS;SOURCES;LINKS;LIBS" ${ARGN})
    if(NOT ARG_AS)
        set(ARG_AS ${name})
    endif()
    set(dir ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_DIRECTORY})
    set(dirs ${dir})
    foreach(folder IN LISTS ARG_FOLDERS)
        list(APPEND dirs ${dir}/${folder})
    endforeach()
    list(TRANSFORM dirs APPEND /*.c OUTPUT_VARIABLE patterns)
    file(GLOB sources CONFIGURE_DEPENDS ${patterns})
    list(TRANSFORM dirs APPEND /*_test.c OUTPUT_VARIABLE patterns)
    file(GLOB tests CONFIGURE_DEPENDS ${patterns})
    list(TRANSFORM dirs APPEND /*_fuzz.c OUTPUT_VARIABLE patterns)
    file(GLOB fuzzers CONFIGURE_DEPENDS ${patterns})
    if(tests OR fuzzers)
        list(REMOVE_ITEM sources ${tests} ${fuzzers})
    endif()

    set(include ${CMAKE_BINARY_DIR}/include/${name})
    get_filename_component(above ${include}/${ARG_AS} DIRECTORY)
    file(MAKE_DIRECTORY ${above})
    file(CREATE_LINK ${dir} ${include}/${ARG_AS} SYMBOLIC)

    add_library(gb_${name} OBJECT ${sources} ${ARG_SOURCES})
    target_include_directories(gb_${name} PUBLIC ${include})
    target_link_libraries(gb_${name} PUBLIC gb_flags ${ARG_LIBS})
    # Object libraries do not hand on the objects of what they link: programs name all that they need
    # through gb_link(), which follows this property.
    set(closure ${name})
    foreach(link IN LISTS ARG_LINKS)
        target_link_libraries(gb_${name} PUBLIC gb_${link})
        get_target_property(more gb_${link} GB_CLOSURE)
        list(APPEND closure ${more})
    endforeach()
    list(REMOVE_DUPLICATES closure)
    set_target_properties(gb_${name} PROPERTIES GB_CLOSURE "${closure}")

    if(BUILD_TESTING AND NOT GB_FUZZ)
        foreach(test IN LISTS tests)
            gb_test(${name} ${test})
        endforeach()
    endif()
    foreach(fuzzer IN LISTS fuzzers)
        gb_fuzzer(${name} ${fuzzer})
    endforeach()
endfunction()

# gb_link(target module… [WITHOUT module…]): links a program to the modules and to all that they stand
# on, but for those that another of them takes the place of.
function(gb_link target)
    cmake_parse_arguments(ARG "" "" "WITHOUT" ${ARGN})
    set(closure)
    foreach(link IN LISTS ARG_UNPARSED_ARGUMENTS)
        get_target_property(more gb_${link} GB_CLOSURE)
        list(APPEND closure ${more})
    endforeach()
    list(REMOVE_DUPLICATES closure)
    if(ARG_WITHOUT)
        list(REMOVE_ITEM closure ${ARG_WITHOUT})
    endif()
    foreach(module IN LISTS closure)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:gb_${module}>)
        target_link_libraries(${target} PRIVATE gb_${module})
    endforeach()
endfunction()

function(gb_test module source)
    get_filename_component(stem ${source} NAME_WE)
    string(REGEX REPLACE "_test$" "" name ${stem})
    set(target test_${module}_${name})
    pkg_check_modules(CHECK REQUIRED IMPORTED_TARGET check)
    add_executable(${target} ${source})
    gb_link(${target} ${module})
    target_link_libraries(${target} PRIVATE PkgConfig::CHECK)
    target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/cmake) # check_run.h, check_page.h
    # Check's macros lean on variadic arguments being there, and on an unused one.
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS
        -Wno-pedantic -Wno-conversion -Wno-shadow -Wno-null-dereference)
    # From here, so that a __FILE__ that a compiler cache has made relative is found, too.
    add_test(NAME ${module}/${name} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    # A hang is a failure, a busy machine is none: Check's own limit would be four seconds.
    set_tests_properties(${module}/${name} PROPERTIES
        TIMEOUT 120 SKIP_RETURN_CODE 77 ENVIRONMENT CK_DEFAULT_TIMEOUT=60)
endfunction()

function(gb_fuzzer module source)
    get_filename_component(stem ${source} NAME_WE)
    get_filename_component(dir ${source} DIRECTORY)
    string(REGEX REPLACE "_fuzz$" "" name ${stem})
    set(target fuzz_${module}_${name})
    set(corpus ${dir}/${name}_corpus)
    if(GB_FUZZ)
        add_executable(${target} ${source})
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    elseif(BUILD_TESTING)
        add_executable(${target} ${source} ${CMAKE_SOURCE_DIR}/cmake/replay.c)
        add_test(NAME ${module}/${name}-corpus COMMAND ${target} ${corpus})
        set_tests_properties(${module}/${name}-corpus PROPERTIES TIMEOUT 120)
    else()
        return()
    endif()
    # A fuzz target has one function that the fuzzer calls by name.
    set_property(SOURCE ${source} APPEND PROPERTY COMPILE_OPTIONS -Wno-missing-prototypes)
    gb_link(${target} ${module})
    set_property(GLOBAL APPEND PROPERTY GB_FUZZERS "$<TARGET_FILE:${target}>|${corpus}")
endfunction()

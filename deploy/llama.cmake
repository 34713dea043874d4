# Read by CMake while llama.cpp is compiled for this machine (CMAKE_PROJECT_llama_cpp_INCLUDE), see the Makefile.
# Its Python package also compiles what command line tools and pictures need, which is more than half, and unused here.
set(LLAMA_BUILD_COMMON OFF)
set(LLAVA_BUILD OFF)

# All time of a running model goes into the kernels (ggml-cpu). The rest is compiled in half the time: with fewer
# optimisations, and with the headers that nearly all of its files include read once.
function(compile_the_rest_quickly)
  if(CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    target_compile_options(ggml-base PRIVATE -O1)
    target_compile_options(llama PRIVATE -O1)
    target_precompile_headers(llama PRIVATE <algorithm> <functional> <map> <memory> <regex> <string> <unordered_map> <vector>)
  endif()
endfunction()
if(CMAKE_VERSION VERSION_GREATER_EQUAL 3.19)
  cmake_language(DEFER CALL compile_the_rest_quickly)
endif()

# Read by CMake while llama.cpp is compiled for this machine (CMAKE_PROJECT_llama_cpp_INCLUDE), see the Makefile.
# Its Python package also compiles what command line tools and pictures need, which is more than half, and unused here.
set(LLAMA_BUILD_COMMON OFF)
set(LLAVA_BUILD OFF)

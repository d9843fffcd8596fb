# The user C module _kcp for ports that are built with cmake (rp2, esp32):
#
#     make USER_C_MODULES=<this repository>/native/mod/micropython.cmake

add_library(usermod_kcp INTERFACE)
file(GLOB KCP_SOURCES ${CMAKE_CURRENT_LIST_DIR}/*.c ${CMAKE_CURRENT_LIST_DIR}/../core/*.c)
target_sources(usermod_kcp INTERFACE ${KCP_SOURCES})
target_include_directories(usermod_kcp INTERFACE ${CMAKE_CURRENT_LIST_DIR}/../core)
target_link_libraries(usermod INTERFACE usermod_kcp)

// POSIX threads with a stack that librdkafka's calls fit in. Platforms' defaults
// differ: 8 MiB with glibc, 512 KiB on macOS, 128 KiB with musl.
#pragma once

#include <pthread.h>

namespace shim {

// False when the system has no thread to give.
bool StartDetachedThread(void (*entry)(void*), void* argument);

// Zero, or an errno value; the thread has to be joined.
int StartThread(pthread_t* thread, void (*entry)(void*), void* argument);

// The calling thread's name in debuggers, where the platform has such a thing.
void NameThread(const char* name);

}  // namespace shim

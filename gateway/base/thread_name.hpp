// Names the calling thread, so that `top -H`, perf and a debugger tell who does what.
#pragma once

#include <pthread.h>

namespace touchgate {

// At most 15 characters; more: the name stays as it was. Any thread.
inline void name_this_thread(const char* name) { (void)::pthread_setname_np(::pthread_self(), name); }

}  // namespace touchgate

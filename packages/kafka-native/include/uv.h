// The part of libuv's API that Confluent's client uses: its handles over one
// thread-safe function, its locks and threads over POSIX.
#pragma once

#include "shim/uv-async.h"
#include "shim/uv-sync.h"

// NAN over Node-API: the entry header of Confluent's sources.
#pragma once

// Confluent's sources use assert(), memcpy() and std::string without including
// their headers: NAN's pulls them in.
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <string>

#include "node.h"
#include "node_buffer.h"
#include "shim/async-worker.h"
#include "shim/callback.h"
#include "shim/error.h"
#include "shim/handle-scope.h"
#include "shim/new.h"
#include "shim/object-wrap.h"
#include "shim/property.h"
#include "shim/reference.h"
#include "shim/to.h"
#include "shim/utf8-string.h"
#include "uv.h"

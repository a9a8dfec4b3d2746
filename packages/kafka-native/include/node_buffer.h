// Node's Buffer API, over Node-API.
#pragma once

#include "shim/buffer.h"
#include "v8.h"

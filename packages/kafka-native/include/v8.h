// The part of V8's API that Confluent's client uses, over Node-API. A name that
// is not supported is not declared: code that needs it fails to compile.
#pragma once

#include "shim/local.h"
#include "shim/maybe.h"
#include "shim/template.h"
#include "shim/value.h"

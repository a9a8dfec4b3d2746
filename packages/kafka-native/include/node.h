// The part of Node's addon API that Confluent's client uses, over Node-API.
#pragma once

#include "shim/module.h"
#include "v8.h"

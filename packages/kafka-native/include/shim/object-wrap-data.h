// What a wrapped JavaScript object's native pointer leads to, and how foreign
// objects are recognized.
#pragma once

#include "shim/object-wrap.h"

namespace shim {

struct WrapData {
  Environment* environment;
  Nan::ObjectWrap* object;
  // The ClassTemplate whose constructor wrapped it.
  const void* wrapped_class;
};

// Null unless `value` is an object that Wrap() was called on. Other addons wrap
// objects too, so the pointer is believed only with our type tag on the object.
const WrapData* FindWrap(napi_value value);

}  // namespace shim

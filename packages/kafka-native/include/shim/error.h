// Nan::Error and Nan::ThrowError. What is thrown becomes an exception when the
// running native method returns (Environment::Throw says why).
#pragma once

#include "shim/new.h"

namespace Nan {

v8::Local<v8::Value> Error(const v8::Local<v8::String>& message);
inline v8::Local<v8::Value> Error(const char* message) {
  return Error(v8::Local<v8::String>(shim::MakeLiteral(message)));
}

inline void ThrowError(const v8::Local<v8::Value>& error) {
  shim::Environment::Current().Throw(error.handle());
}
inline void ThrowError(const char* message) { ThrowError(Error(message)); }

}  // namespace Nan

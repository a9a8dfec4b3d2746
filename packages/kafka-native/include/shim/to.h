// Nan::To: JavaScript's conversions, to handles and to C++ types.
#pragma once

#include <concepts>
#include <cstdint>

#include "shim/maybe.h"

namespace shim {

// Null when the conversion threw; the exception is then stored.
napi_value ToStringValue(napi_value value);
napi_value ToObjectValue(napi_value value);

v8::Maybe<bool> ToBoolean(napi_value value);
v8::Maybe<int32_t> ToInt32(napi_value value);
v8::Maybe<uint32_t> ToUint32(napi_value value);
v8::Maybe<int64_t> ToInt64(napi_value value);

}  // namespace shim

namespace Nan {

template <std::same_as<v8::String> T, class S>
MaybeLocal<v8::String> To(const v8::Local<S>& value) {
  return v8::Local<v8::String>(shim::ToStringValue(value.handle()));
}
template <std::same_as<v8::Object> T, class S>
MaybeLocal<v8::Object> To(const v8::Local<S>& value) {
  return v8::Local<v8::Object>(shim::ToObjectValue(value.handle()));
}
template <std::same_as<bool> T, class S>
Maybe<bool> To(const v8::Local<S>& value) {
  return shim::ToBoolean(value.handle());
}
template <std::same_as<int32_t> T, class S>
Maybe<int32_t> To(const v8::Local<S>& value) {
  return shim::ToInt32(value.handle());
}
template <std::same_as<uint32_t> T, class S>
Maybe<uint32_t> To(const v8::Local<S>& value) {
  return shim::ToUint32(value.handle());
}
template <std::same_as<int64_t> T, class S>
Maybe<int64_t> To(const v8::Local<S>& value) {
  return shim::ToInt64(value.handle());
}

}  // namespace Nan

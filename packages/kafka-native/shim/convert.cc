// Nan::To and Nan::Utf8String.
#include <cmath>
#include <cstdint>

#include "shim/to.h"
#include "shim/utf8-string.h"

namespace shim {

namespace {

// The value as a number (`handle` unchanged when it is a number), or null when the
// conversion threw.
napi_value ToNumberValue(napi_value value) {
  if (TypeOf(value) == napi_number) return value;
  napi_value number = nullptr;
  if (value == nullptr || napi_coerce_to_number(CurrentEnv(), value, &number) != napi_ok) {
    Environment::Current().CollectException();
    return nullptr;
  }
  return number;
}

template <class T>
v8::Maybe<T> ToInteger(napi_value value, napi_status (*read)(napi_env, napi_value, T*)) {
  napi_value number = ToNumberValue(value);
  T result = 0;
  if (number == nullptr || read(CurrentEnv(), number, &result) != napi_ok) return {};
  return v8::Maybe<T>(result);
}

}  // namespace

napi_value ToStringValue(napi_value value) {
  if (TypeOf(value) == napi_string) return value;
  napi_value text = nullptr;
  if (value == nullptr || napi_coerce_to_string(CurrentEnv(), value, &text) != napi_ok) {
    Environment::Current().CollectException();
    return nullptr;
  }
  return text;
}

napi_value ToObjectValue(napi_value value) {
  const napi_valuetype type = TypeOf(value);
  if (type == napi_object || type == napi_function) return value;
  napi_value object = nullptr;
  // Throws for null and undefined.
  if (value == nullptr || napi_coerce_to_object(CurrentEnv(), value, &object) != napi_ok) {
    Environment::Current().CollectException();
    return nullptr;
  }
  return object;
}

v8::Maybe<bool> ToBoolean(napi_value value) {
  bool result = false;
  if (value == nullptr) return {};
  if (napi_get_value_bool(CurrentEnv(), value, &result) == napi_ok) return v8::Maybe<bool>(result);
  napi_value boolean = nullptr;
  if (napi_coerce_to_bool(CurrentEnv(), value, &boolean) != napi_ok) return {};
  napi_get_value_bool(CurrentEnv(), boolean, &result);
  return v8::Maybe<bool>(result);
}

v8::Maybe<int32_t> ToInt32(napi_value value) { return ToInteger<int32_t>(value, napi_get_value_int32); }

v8::Maybe<uint32_t> ToUint32(napi_value value) { return ToInteger<uint32_t>(value, napi_get_value_uint32); }

v8::Maybe<int64_t> ToInt64(napi_value value) {
  napi_value number = ToNumberValue(value);
  double wide = 0;
  if (number == nullptr || napi_get_value_double(CurrentEnv(), number, &wide) != napi_ok) return {};
  // V8 saturates; Node-API converts an infinity to zero.
  if (std::isinf(wide)) return v8::Maybe<int64_t>(wide > 0 ? INT64_MAX : INT64_MIN);
  return ToInteger<int64_t>(number, napi_get_value_int64);
}

}  // namespace shim

namespace Nan {

void Utf8String::Read(napi_value value) {
  napi_env env = shim::CurrentEnv();
  inline_text_[0] = '\0';
  text_ = inline_text_.data();
  napi_value string = value == nullptr ? nullptr : shim::ToStringValue(value);
  if (string == nullptr) return;

  size_t length = 0;
  if (napi_get_value_string_utf8(env, string, inline_text_.data(), inline_text_.size(), &length) != napi_ok) {
    return;
  }
  // A nearly full buffer may hold truncated text: a character takes up to four
  // bytes, so truncation can leave the last three unused.
  if (length < inline_text_.size() - 4) return;
  napi_get_value_string_utf8(env, string, nullptr, 0, &length);
  long_text_ = std::make_unique<char[]>(length + 1);
  napi_get_value_string_utf8(env, string, long_text_.get(), length + 1, &length);
  text_ = long_text_.get();
}

}  // namespace Nan

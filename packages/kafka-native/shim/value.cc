#include "shim/value.h"

#include <cmath>
#include <cstring>

#include "shim/maybe.h"
#include "shim/new.h"
#include "shim/property.h"
#include "shim/to.h"

namespace shim {

napi_valuetype TypeOf(napi_value value) {
  napi_valuetype type = napi_undefined;
  if (value != nullptr) napi_typeof(CurrentEnv(), value, &type);
  return type;
}

napi_value MakeString(const char* text, size_t length) {
  napi_value result = nullptr;
  napi_create_string_utf8(CurrentEnv(), text, length, &result);
  return result;
}

napi_value MakeLiteral(const char* text) { return MakeString(text, std::strlen(text)); }

bool StrictEquals(napi_value left, napi_value right) {
  if (left == nullptr || right == nullptr) return left == right;
  bool equal = false;
  napi_strict_equals(CurrentEnv(), left, right, &equal);
  return equal;
}

napi_value MakeNumber(double value) {
  napi_value result = nullptr;
  napi_create_double(CurrentEnv(), value, &result);
  return result;
}

napi_value MakeInt32(int32_t value) {
  napi_value result = nullptr;
  napi_create_int32(CurrentEnv(), value, &result);
  return result;
}

napi_value MakeUint32(uint32_t value) {
  napi_value result = nullptr;
  napi_create_uint32(CurrentEnv(), value, &result);
  return result;
}

napi_value MakeBoolean(bool value) {
  napi_value result = nullptr;
  napi_get_boolean(CurrentEnv(), value, &result);
  return result;
}

napi_value MakeArray() {
  napi_value result = nullptr;
  napi_create_array(CurrentEnv(), &result);
  return result;
}

napi_value MakeUndefined() {
  napi_value result = nullptr;
  napi_get_undefined(CurrentEnv(), &result);
  return result;
}

napi_value MakeNull() {
  napi_value result = nullptr;
  napi_get_null(CurrentEnv(), &result);
  return result;
}

namespace {

// Whether the value is a whole number between the bounds. V8 doesn't count
// minus zero as an integer.
bool IsIntegerBetween(napi_value value, double low, double high) {
  double number = 0;
  if (value == nullptr || napi_get_value_double(CurrentEnv(), value, &number) != napi_ok) return false;
  if (number == 0) return !std::signbit(number);
  return number >= low && number <= high && number == std::trunc(number);
}

}  // namespace

}  // namespace shim

namespace v8 {

bool Value::Is(napi_valuetype type) const { return handle != nullptr && shim::TypeOf(handle) == type; }

bool Value::IsNullOrUndefined() const {
  const napi_valuetype type = shim::TypeOf(handle);
  return type == napi_undefined || type == napi_null;
}

bool Value::IsObject() const {
  const napi_valuetype type = shim::TypeOf(handle);
  return type == napi_object || type == napi_function || type == napi_external;
}

bool Value::IsArray() const {
  bool result = false;
  if (handle != nullptr) napi_is_array(shim::CurrentEnv(), handle, &result);
  return result;
}

bool Value::IsInt32() const { return shim::IsIntegerBetween(handle, INT32_MIN, INT32_MAX); }

bool Value::IsUint32() const { return shim::IsIntegerBetween(handle, 0, UINT32_MAX); }

bool Value::IsRegExp() const {
  if (!Is(napi_object)) return false;
  napi_env env = shim::CurrentEnv();
  napi_value global = nullptr;
  napi_value constructor = nullptr;
  bool result = false;
  napi_get_global(env, &global);
  napi_get_named_property(env, global, "RegExp", &constructor);
  napi_instanceof(env, handle, constructor, &result);
  return result;
}

MaybeLocal<Object> Value::ToObject(Local<Context>) const {
  return Local<Object>(shim::ToObjectValue(handle));
}

Maybe<int32_t> Value::Int32Value(Local<Context>) const { return shim::ToInt32(handle); }

Maybe<uint32_t> Value::Uint32Value(Local<Context>) const { return shim::ToUint32(handle); }

Local<BigInt> BigInt::New(Isolate*, int64_t value) {
  napi_value result = nullptr;
  napi_create_bigint_int64(shim::CurrentEnv(), value, &result);
  return Local<BigInt>(result);
}

MaybeLocal<Array> Object::GetOwnPropertyNames(Local<Context>) const {
  return Local<Array>(shim::OwnPropertyNames(handle));
}

uint32_t Array::Length() const {
  uint32_t length = 0;
  napi_get_array_length(shim::CurrentEnv(), handle, &length);
  return length;
}

Local<String> RegExp::GetSource() const { return Local<String>(shim::GetNamed(handle, "source")); }

}  // namespace v8

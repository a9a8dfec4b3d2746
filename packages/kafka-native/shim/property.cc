#include "shim/property.h"

namespace shim {

namespace {

// Getters and proxies may throw: keep the exception for the method's end.
bool Done(napi_status status) {
  if (status == napi_ok) return true;
  Environment::Current().CollectException();
  return false;
}

}  // namespace

bool SetNamed(napi_value object, const char* key, napi_value value) {
  return Done(napi_set_named_property(CurrentEnv(), object, key, value));
}

bool SetKeyed(napi_value object, napi_value key, napi_value value) {
  return Done(napi_set_property(CurrentEnv(), object, key, value));
}

bool SetElement(napi_value object, uint32_t index, napi_value value) {
  return Done(napi_set_element(CurrentEnv(), object, index, value));
}

napi_value GetNamed(napi_value object, const char* key) {
  napi_value result = nullptr;
  return Done(napi_get_named_property(CurrentEnv(), object, key, &result)) ? result : nullptr;
}

napi_value GetKeyed(napi_value object, napi_value key) {
  napi_value result = nullptr;
  return Done(napi_get_property(CurrentEnv(), object, key, &result)) ? result : nullptr;
}

napi_value GetElement(napi_value object, uint32_t index) {
  napi_value result = nullptr;
  return Done(napi_get_element(CurrentEnv(), object, index, &result)) ? result : nullptr;
}

v8::Maybe<bool> HasNamed(napi_value object, const char* key) {
  bool result = false;
  if (!Done(napi_has_named_property(CurrentEnv(), object, key, &result))) return {};
  return v8::Maybe<bool>(result);
}

v8::Maybe<bool> HasKeyed(napi_value object, napi_value key) {
  bool result = false;
  if (!Done(napi_has_property(CurrentEnv(), object, key, &result))) return {};
  return v8::Maybe<bool>(result);
}

napi_value OwnPropertyNames(napi_value object) {
  napi_value result = nullptr;
  const auto filter = static_cast<napi_key_filter>(napi_key_enumerable | napi_key_skip_symbols);
  return Done(napi_get_all_property_names(CurrentEnv(), object, napi_key_own_only, filter,
                                          napi_key_keep_numbers, &result))
             ? result
             : nullptr;
}

}  // namespace shim

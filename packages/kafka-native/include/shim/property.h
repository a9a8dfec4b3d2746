// Nan::Set, Get, Has and GetOwnPropertyNames.
#pragma once

#include <concepts>

#include "shim/maybe.h"

namespace shim {

bool SetNamed(napi_value object, const char* key, napi_value value);
bool SetKeyed(napi_value object, napi_value key, napi_value value);
bool SetElement(napi_value object, uint32_t index, napi_value value);
// Null when a getter threw; the exception is then stored.
napi_value GetNamed(napi_value object, const char* key);
napi_value GetKeyed(napi_value object, napi_value key);
napi_value GetElement(napi_value object, uint32_t index);
v8::Maybe<bool> HasNamed(napi_value object, const char* key);
v8::Maybe<bool> HasKeyed(napi_value object, napi_value key);
napi_value OwnPropertyNames(napi_value object);

inline v8::Maybe<bool> DoneUnlessThrown(bool done) {
  return done ? v8::Maybe<bool>(true) : v8::Maybe<bool>();
}

}  // namespace shim

namespace Nan {

inline Maybe<bool> Set(const v8::Local<v8::Object>& object, const v8::Local<v8::String>& key,
                       const v8::Local<v8::Value>& value) {
  if (key.literal() == nullptr) {
    return shim::DoneUnlessThrown(shim::SetKeyed(object.handle(), key.handle(), value.handle()));
  }
  shim::PendingObject* pending = object.pending();
  if (pending != nullptr && pending->Add(key.literal(), value.handle())) {
    return Maybe<bool>(true);
  }
  return shim::DoneUnlessThrown(shim::SetNamed(object.handle(), key.literal(), value.handle()));
}

template <std::integral I>
Maybe<bool> Set(const v8::Local<v8::Object>& object, I index, const v8::Local<v8::Value>& value) {
  return shim::DoneUnlessThrown(
      shim::SetElement(object.handle(), static_cast<uint32_t>(index), value.handle()));
}

inline MaybeLocal<v8::Value> Get(const v8::Local<v8::Object>& object, const v8::Local<v8::String>& key) {
  return v8::Local<v8::Value>(key.literal() != nullptr ? shim::GetNamed(object.handle(), key.literal())
                                                       : shim::GetKeyed(object.handle(), key.handle()));
}

inline MaybeLocal<v8::Value> Get(const v8::Local<v8::Object>& object, const v8::Local<v8::Value>& key) {
  return v8::Local<v8::Value>(shim::GetKeyed(object.handle(), key.handle()));
}

template <std::integral I>
MaybeLocal<v8::Value> Get(const v8::Local<v8::Object>& object, I index) {
  return v8::Local<v8::Value>(shim::GetElement(object.handle(), static_cast<uint32_t>(index)));
}

inline Maybe<bool> Has(const v8::Local<v8::Object>& object, const v8::Local<v8::String>& key) {
  return key.literal() != nullptr ? shim::HasNamed(object.handle(), key.literal())
                                  : shim::HasKeyed(object.handle(), key.handle());
}

inline MaybeLocal<v8::Array> GetOwnPropertyNames(const v8::Local<v8::Object>& object) {
  return v8::Local<v8::Array>(shim::OwnPropertyNames(object.handle()));
}

}  // namespace Nan

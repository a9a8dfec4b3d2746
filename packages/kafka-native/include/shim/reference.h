// References that keep a JavaScript value alive beyond its handle scope, and
// Nan::Persistent, which is one.
//
// All references of an environment are elements of one JavaScript array, found
// by index. That is several times cheaper than napi_create_reference(),
// which matters because Confluent creates one for each message's opaque. And an
// element can be any value, whereas Node-API 8 only has references to objects.
#pragma once

#include <cstdint>
#include <type_traits>
#include <vector>

#include "shim/local.h"

namespace shim {

class ReferenceSlab {
 public:
  explicit ReferenceSlab(napi_env env);
  ReferenceSlab(const ReferenceSlab&) = delete;
  ReferenceSlab& operator=(const ReferenceSlab&) = delete;

  uint32_t Acquire(napi_value value);
  napi_value Get(uint32_t index) const;
  void Release(uint32_t index);

 private:
  napi_value Array() const;

  const napi_env env_;
  napi_ref array_ = nullptr;
  uint32_t size_ = 0;
  std::vector<uint32_t> free_;
};

// A slot in the slab of the environment that filled it. Has no destructor: see
// Nan::Persistent. Use from another environment finds it empty, and so does use
// after the environment's end.
class Reference {
 public:
  Reference() = default;
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  void Reset(napi_value value);
  void Clear();
  bool IsEmpty() const { return environment_ == nullptr; }
  // Null when empty.
  napi_value Get() const;

 private:
  bool Usable() const;

  Environment* environment_ = nullptr;
  uint32_t index_ = 0;
};

}  // namespace shim

namespace Nan {

// As in NAN, the destructor does not release the value: static Persistents must
// not touch an engine that is gone when the process's destructors run. Callers
// Reset() before they delete.
template <class T>
class Persistent {
 public:
  Persistent() = default;
  template <v8::ConvertibleHandle<T> S>
  explicit Persistent(const v8::Local<S>& value) {
    reference_.Reset(value.handle());
  }
  Persistent(const Persistent&) = delete;
  Persistent& operator=(const Persistent&) = delete;

  void Reset() { reference_.Clear(); }
  template <v8::ConvertibleHandle<T> S>
  void Reset(const v8::Local<S>& value) {
    reference_.Reset(value.handle());
  }
  napi_value handle() const { return reference_.Get(); }

 private:
  shim::Reference reference_;
};

static_assert(!std::is_copy_constructible_v<Persistent<v8::Value>>);
static_assert(std::is_trivially_destructible_v<Persistent<v8::Value>>);

}  // namespace Nan

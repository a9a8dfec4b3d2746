// v8::Local: a handle that lives as long as the innermost handle scope.
//
// Two instantiations put work off, because creating a JavaScript value costs
// tens of nanoseconds and Confluent's C++ creates dozens a message:
// - Local<String> may stand for a C string literal. As a property key, its most
//   frequent use, it never becomes a JavaScript string.
// - Local<Object> may stand for an object under construction (pending-object.h).
// handle() turns either into the real thing on first need.
#pragma once

#include <concepts>

#include "shim/pending-object.h"
#include "shim/value.h"

namespace v8 {

template <class S, class T>
concept ConvertibleHandle = std::derived_from<S, T>;

template <class T>
class Local {
 public:
  Local() = default;
  explicit Local(napi_value handle) : value_(handle) {}
  template <ConvertibleHandle<T> S>
  Local(const Local<S>& other) : value_(other.handle()) {}

  bool IsEmpty() const { return value_.handle == nullptr; }
  napi_value handle() const { return value_.handle; }
  T* operator->() const { return &value_; }

  template <class S>
  Local<S> As() const {
    return Local<S>(handle());
  }
  template <class S>
  static Local<T> Cast(const Local<S>& other) {
    return Local<T>(other.handle());
  }
  // Identity, as in V8: the same object, or primitives that are ===.
  template <class S>
  bool operator==(const Local<S>& other) const {
    return shim::StrictEquals(handle(), other.handle());
  }

 private:
  mutable T value_;
};

template <>
class Local<String> {
 public:
  Local() = default;
  explicit Local(napi_value handle) : value_(handle) {}
  // `text` must have static storage duration, as a literal has.
  static Local FromLiteral(const char* text) {
    Local local;
    local.literal_ = text;
    return local;
  }

  bool IsEmpty() const { return value_.handle == nullptr && literal_ == nullptr; }
  const char* literal() const { return literal_; }
  napi_value handle() const {
    if (value_.handle == nullptr && literal_ != nullptr) value_.handle = shim::MakeLiteral(literal_);
    return value_.handle;
  }
  String* operator->() const {
    handle();
    return &value_;
  }

  template <class S>
  Local<S> As() const {
    return Local<S>(handle());
  }
  template <class S>
  static Local Cast(const Local<S>& other) {
    return Local(other.handle());
  }
  template <class S>
  bool operator==(const Local<S>& other) const {
    return shim::StrictEquals(handle(), other.handle());
  }

 private:
  mutable String value_;
  const char* literal_ = nullptr;
};

template <>
class Local<Object> {
 public:
  Local() = default;
  explicit Local(napi_value handle) : value_(handle) {}
  explicit Local(shim::PendingObject* pending) : pending_(pending) {}
  template <ConvertibleHandle<Object> S>
  Local(const Local<S>& other) : value_(other.handle()) {}

  bool IsEmpty() const { return value_.handle == nullptr && pending_ == nullptr; }
  shim::PendingObject* pending() const { return pending_; }
  napi_value handle() const {
    if (value_.handle == nullptr && pending_ != nullptr) value_.handle = shim::Materialize(*pending_);
    return value_.handle;
  }
  Object* operator->() const {
    handle();
    return &value_;
  }

  template <class S>
  Local<S> As() const {
    return Local<S>(handle());
  }
  template <class S>
  static Local Cast(const Local<S>& other) {
    return Local(other.handle());
  }
  template <class S>
  bool operator==(const Local<S>& other) const {
    return shim::StrictEquals(handle(), other.handle());
  }

 private:
  mutable Object value_;
  shim::PendingObject* pending_ = nullptr;
};

template <>
class Local<Context> {};

// Confluent declares two members of this type and never uses them.
template <class T>
class Persistent {};

}  // namespace v8

namespace Nan {

inline v8::Local<v8::Context> GetCurrentContext() { return {}; }

}  // namespace Nan

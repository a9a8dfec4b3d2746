// v8::Maybe and v8::MaybeLocal: results of calls that may have thrown.
#pragma once

#include "shim/exception.h"
#include "shim/local.h"

namespace v8 {

template <class T>
class Maybe {
 public:
  Maybe() = default;
  explicit Maybe(const T& value) : has_value_(true), value_(value) {}

  bool IsNothing() const { return !has_value_; }
  T FromJust() const {
    if (!has_value_) throw shim::Unwind("FromJust: the value is missing");
    return value_;
  }
  T ToChecked() const { return FromJust(); }
  T FromMaybe(const T& fallback) const { return has_value_ ? value_ : fallback; }

 private:
  bool has_value_ = false;
  T value_{};
};

template <class T>
class MaybeLocal {
 public:
  MaybeLocal() = default;
  template <ConvertibleHandle<T> S>
  MaybeLocal(const Local<S>& local) : local_(local) {}

  bool IsEmpty() const { return local_.IsEmpty(); }
  Local<T> ToLocalChecked() const {
    if (local_.IsEmpty()) throw shim::Unwind("ToLocalChecked: the handle is empty");
    return local_;
  }
  template <class S>
  bool ToLocal(Local<S>* out) const {
    *out = Local<S>(local_);
    return !local_.IsEmpty();
  }

 private:
  Local<T> local_;
};

}  // namespace v8

namespace Nan {

using v8::Maybe;
using v8::MaybeLocal;

}  // namespace Nan

// Nan::Callback: a JavaScript function kept for later.
#pragma once

#include <type_traits>

#include "shim/new.h"

namespace Nan {

class Callback {
 public:
  Callback() = default;
  explicit Callback(const v8::Local<v8::Function>& function) { function_.Reset(function); }
  ~Callback() { function_.Reset(); }
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;

  v8::Local<v8::Function> GetFunction() const { return New(function_); }
  bool IsEmpty() const { return function_.handle() == nullptr; }

  // Calls with the global object as receiver. An exception goes to the native
  // method that is running; in a task of the event bridge it is reported as
  // uncaught, and the task continues. Both give undefined.
  v8::Local<v8::Value> Call(int argc, v8::Local<v8::Value> argv[]) const;

  // Confluent writes `callback(cb)` where it means Reset(cb). In NAN that is a
  // call of the stored function, which is empty, with `cb` as receiver: a crash.
  // Here nothing is called.
  v8::Local<v8::Value> operator()(const v8::Local<v8::Object>& receiver) const;

 private:
  Persistent<v8::Function> function_;
};

static_assert(!std::is_copy_constructible_v<Callback>);

}  // namespace Nan

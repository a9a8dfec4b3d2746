// Nan::HandleScope and Nan::EscapableHandleScope.
#pragma once

#include "shim/local.h"

namespace Nan {

// Inside a method that JavaScript has called, Node-API's own scope ends with the
// method, and what a method creates is bounded by its arguments: nothing to do.
// In a task of the event bridge a loop over a backlog of any length may run, so
// there the scope is real.
class HandleScope {
 public:
  HandleScope();
  ~HandleScope();
  HandleScope(const HandleScope&) = delete;
  HandleScope& operator=(const HandleScope&) = delete;

 private:
  napi_handle_scope scope_ = nullptr;
  size_t pending_mark_ = 0;
};

class EscapableHandleScope {
 public:
  EscapableHandleScope();
  ~EscapableHandleScope();
  EscapableHandleScope(const EscapableHandleScope&) = delete;
  EscapableHandleScope& operator=(const EscapableHandleScope&) = delete;

  template <class T>
  v8::Local<T> Escape(const v8::Local<T>& value) {
    return v8::Local<T>(EscapeHandle(value.handle()));
  }

 private:
  napi_value EscapeHandle(napi_value value);

  napi_escapable_handle_scope scope_ = nullptr;
  size_t pending_mark_ = 0;
};

}  // namespace Nan

#include "shim/handle-scope.h"

#include "shim/exception.h"

namespace Nan {

namespace {

shim::PendingObjects& Pending() { return shim::Environment::Current().pending_objects(); }

}  // namespace

HandleScope::HandleScope() {
  if (shim::Environment::Current().frame != nullptr) return;
  pending_mark_ = Pending().EnterScope();
  if (napi_open_handle_scope(shim::CurrentEnv(), &scope_) != napi_ok) shim::Fatal("napi_open_handle_scope");
}

HandleScope::~HandleScope() {
  if (scope_ == nullptr) return;
  Pending().Rewind(pending_mark_);
  napi_close_handle_scope(shim::CurrentEnv(), scope_);
}

EscapableHandleScope::EscapableHandleScope() {
  pending_mark_ = Pending().EnterScope();
  if (napi_open_escapable_handle_scope(shim::CurrentEnv(), &scope_) != napi_ok) {
    shim::Fatal("napi_open_escapable_handle_scope");
  }
}

EscapableHandleScope::~EscapableHandleScope() {
  Pending().Rewind(pending_mark_);
  napi_close_escapable_handle_scope(shim::CurrentEnv(), scope_);
}

napi_value EscapableHandleScope::EscapeHandle(napi_value value) {
  napi_value escaped = nullptr;
  if (value != nullptr) napi_escape_handle(shim::CurrentEnv(), scope_, value, &escaped);
  return escaped;
}

}  // namespace Nan

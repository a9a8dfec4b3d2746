#include "shim/environment.h"

#include <cstdio>
#include <cstdlib>

#include "shim/event-bridge.h"
#include "shim/exception.h"
#include "shim/function-callback-info.h"
#include "shim/pending-object.h"
#include "shim/reference.h"

namespace shim {

constinit thread_local Environment* Environment::current_ = nullptr;

Environment::Environment(napi_env env)
    : env_(env),
      bridge_(std::make_unique<EventBridge>(this)),
      pending_objects_(std::make_unique<PendingObjects>(env)),
      references_(std::make_unique<ReferenceSlab>(env)) {
  // Hooks run in reverse order. The bridge's thread-safe function has set one
  // of its own, so ours, which bars other threads from it, comes first.
  if (napi_add_env_cleanup_hook(env, OnTeardown, this) != napi_ok) Fatal("napi_add_env_cleanup_hook");
}

Environment* Environment::Create(napi_env env) { return new Environment(env); }

void Environment::OnTeardown(void* data) {
  auto* environment = static_cast<Environment*>(data);
  environment->bridge_->Shut();
  environment->alive_.store(false, std::memory_order_release);
}

void Environment::Throw(napi_value exception) {
  if (frame != nullptr) {
    frame->exception = exception;
    return;
  }
  napi_fatal_exception(env_, exception);
}

void Environment::CollectException() {
  bool pending = false;
  napi_is_exception_pending(env_, &pending);
  if (!pending) return;
  napi_value exception = nullptr;
  if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) Throw(exception);
}

void ThrowUnwound(const Unwind& unwind) {
  Environment& environment = Environment::Current();
  // The exception that left the handle empty is the better explanation.
  if (environment.frame != nullptr && environment.frame->exception != nullptr) return;
  napi_value message = nullptr;
  napi_value error = nullptr;
  napi_create_string_utf8(environment.env(), unwind.what(), NAPI_AUTO_LENGTH, &message);
  napi_create_type_error(environment.env(), nullptr, message, &error);
  environment.Throw(error);
}

void Fatal(const char* where) {
  std::fprintf(stderr, "kafka-native: %s failed\n", where);
  std::abort();
}

}  // namespace shim

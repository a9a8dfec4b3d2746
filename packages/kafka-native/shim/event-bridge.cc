#include "shim/event-bridge.h"

#include <chrono>

#include "shim/exception.h"
#include "shim/handle-scope.h"

namespace shim {

namespace {

// Long enough to keep the cost of a turn (a few microseconds) small, short
// enough that a timer or a request hardly notices.
constexpr uint64_t kBurstNs = 4'000'000;

uint64_t NowNs() {
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                               std::chrono::nanoseconds(1));
}

}  // namespace

EventBridge::EventBridge(Environment* environment) : environment_(environment) {
  napi_env env = environment->env();
  napi_value name = nullptr;
  napi_create_string_utf8(env, "confluent-kafka-javascript", NAPI_AUTO_LENGTH, &name);
  if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, OnCall,
                                      &function_) != napi_ok) {
    Fatal("napi_create_threadsafe_function");
  }
  napi_unref_threadsafe_function(env, function_);

  napi_value global = nullptr;
  napi_value set_immediate = nullptr;
  napi_value on_turn = nullptr;
  napi_get_global(env, &global);
  // Taken now, so that a test's fake timers cannot stop deliveries later.
  napi_get_named_property(env, global, "setImmediate", &set_immediate);
  napi_create_reference(env, set_immediate, 1, &set_immediate_);
  napi_create_function(env, "dispatchKafkaEvents", NAPI_AUTO_LENGTH, OnTurn, this, &on_turn);
  napi_create_reference(env, on_turn, 1, &on_turn_);
}

bool EventBridge::Post(Task* task) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (shut_) return false;
  return napi_call_threadsafe_function(function_, task, napi_tsfn_nonblocking) == napi_ok;
}

void EventBridge::Open() {
  if (open_count_++ == 0 && !shut_) napi_ref_threadsafe_function(environment_->env(), function_);
}

void EventBridge::Close() {
  if (--open_count_ == 0 && !shut_) napi_unref_threadsafe_function(environment_->env(), function_);
}

void EventBridge::Shut() {
  std::lock_guard<std::mutex> lock(mutex_);
  shut_ = true;
}

void EventBridge::OnCall(napi_env env, napi_value, void* bridge, void* task) {
  // Without an env the runtime is discarding what was queued at its end.
  if (env == nullptr) return;
  static_cast<EventBridge*>(bridge)->Dispatch(static_cast<Task*>(task));
}

void EventBridge::Dispatch(Task* task) {
  if (!deferred_.empty()) {
    deferred_.push_back(task);
    return;
  }
  if (!turn_scheduled_) {
    burst_start_ns_ = NowNs();
    ScheduleTurn();
  } else if (BurstIsOver()) {
    deferred_.push_back(task);
    return;
  }
  RunTask(task);
}

bool EventBridge::BurstIsOver() const { return NowNs() - burst_start_ns_ > kBurstNs; }

void EventBridge::RunTask(Task* task) {
  EnvironmentScope current(environment_);
  // The bridge runs with no native method below it on this stack, or with one
  // that has yielded to JavaScript; either way its exceptions are not for it.
  CallFrame* const interrupted = environment_->frame;
  environment_->frame = nullptr;
  {
    Nan::HandleScope scope;
    try {
      task->Run();
    } catch (const Unwind& unwind) {
      ThrowUnwound(unwind);
    }
  }
  environment_->frame = interrupted;
}

void EventBridge::ScheduleTurn() {
  napi_env env = environment_->env();
  napi_value global = nullptr;
  napi_value set_immediate = nullptr;
  napi_value on_turn = nullptr;
  napi_get_global(env, &global);
  napi_get_reference_value(env, set_immediate_, &set_immediate);
  napi_get_reference_value(env, on_turn_, &on_turn);
  turn_scheduled_ = napi_call_function(env, global, set_immediate, 1, &on_turn, nullptr) == napi_ok;
}

napi_value EventBridge::OnTurn(napi_env env, napi_callback_info info) {
  void* bridge = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &bridge);
  static_cast<EventBridge*>(bridge)->RunDeferred();
  return nullptr;
}

void EventBridge::RunDeferred() {
  turn_scheduled_ = false;
  if (deferred_.empty()) return;
  burst_start_ns_ = NowNs();
  // The next turn is requested first: Dispatch() must still defer, so that
  // tasks keep their order.
  ScheduleTurn();
  while (!deferred_.empty() && !BurstIsOver()) {
    Task* task = deferred_.front();
    deferred_.pop_front();
    RunTask(task);
  }
}

}  // namespace shim

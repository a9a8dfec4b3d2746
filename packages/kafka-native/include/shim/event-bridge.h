// From any thread to the JavaScript thread.
//
// Whatever another thread wants to run in JavaScript is a Task, and all tasks of
// an environment go through one Node-API thread-safe function. It lives as long
// as the environment and keeps the event loop alive only while something is
// open (an active uv_async_t, a queued worker), as libuv's handles would.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>

#include "shim/environment.h"

namespace shim {

class Task {
 public:
  virtual ~Task() = default;
  // On the JavaScript thread, inside a handle scope. May delete itself.
  virtual void Run() = 0;
};

class EventBridge {
 public:
  explicit EventBridge(Environment* environment);
  EventBridge(const EventBridge&) = delete;
  EventBridge& operator=(const EventBridge&) = delete;

  // From any thread. False when the environment has ended: the task never runs.
  bool Post(Task* task);

  // JavaScript thread: counts what keeps the event loop alive.
  void Open();
  void Close();

  // JavaScript thread, at the environment's end.
  void Shut();

 private:
  static void OnCall(napi_env env, napi_value function, void* bridge, void* task);
  static napi_value OnTurn(napi_env env, napi_callback_info info);

  void Dispatch(Task* task);
  void RunTask(Task* task);
  void RunDeferred();
  void ScheduleTurn();
  bool BurstIsOver() const;

  Environment* const environment_;
  napi_threadsafe_function function_ = nullptr;

  // Orders Post() and Shut(): after Shut() the thread-safe
  // function may be gone, and other threads must not touch it.
  std::mutex mutex_;
  bool shut_ = false;

  long open_count_ = 0;

  // Fairness. A runtime hands over queued calls in bursts with no bound, so a
  // fast consumer kept timers waiting for 40 seconds. When a burst has used up
  // its share, the rest waits here for the next turn of the event loop.
  std::deque<Task*> deferred_;
  bool turn_scheduled_ = false;
  uint64_t burst_start_ns_ = 0;
  napi_ref set_immediate_ = nullptr;
  napi_ref on_turn_ = nullptr;
};

}  // namespace shim

// One Environment per time the addon is loaded: per JavaScript thread, and once
// more when a runtime evaluates the module a second time on the same thread.
//
// NAN code takes "the current isolate" from a thread-local of V8's. Node-API
// passes a napi_env to each callback instead, so every entry from JavaScript
// makes its environment the thread's current one for as long as it runs.
#pragma once

#ifndef NAPI_VERSION
#define NAPI_VERSION 8
#endif
#include <node_api.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace shim {

class EventBridge;
class PendingObjects;
class ReferenceSlab;
struct CallFrame;
struct ClassTemplate;

class Environment {
 public:
  // Environments are never freed. A librdkafka thread may still look one up
  // through a uv_async_t after the JavaScript thread has gone; what it finds
  // is alive() == false.
  static Environment* Create(napi_env env);

  explicit Environment(napi_env env);
  ~Environment() = delete;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& Current() { return *current_; }

  napi_env env() const { return env_; }
  bool alive() const { return alive_.load(std::memory_order_acquire); }
  EventBridge& bridge() { return *bridge_; }
  PendingObjects& pending_objects() { return *pending_objects_; }
  ReferenceSlab& references() { return *references_; }

  // The innermost method that JavaScript has called, or null while the event
  // bridge runs a task (then nobody up the stack could receive an exception).
  CallFrame* frame = nullptr;

  // Address of the last wrapped object whose type tag was seen to be ours. No
  // other object can be wrapped around the same address while it lives, so a
  // hot receiver is checked by one comparison.
  const void* verified_wrap = nullptr;

  // All function templates, in order of creation.
  std::vector<ClassTemplate*> classes;

  // Keeps an exception until the running method returns: Node-API refuses most
  // calls while one is pending, but code written for V8 still creates values
  // after Nan::ThrowError() (some of Confluent's methods lack the `return`).
  // As in V8, a later exception replaces an earlier one. Outside a method it is
  // reported as uncaught at once.
  void Throw(napi_value exception);

  // Moves a pending Node-API exception, if there is one, to Throw().
  void CollectException();

 private:
  friend class EnvironmentScope;
  static void OnTeardown(void* environment);

  static constinit thread_local Environment* current_;

  const napi_env env_;
  std::atomic<bool> alive_{true};
  std::unique_ptr<EventBridge> bridge_;
  std::unique_ptr<PendingObjects> pending_objects_;
  std::unique_ptr<ReferenceSlab> references_;
};

// Makes an environment current for a C++ scope.
class EnvironmentScope {
 public:
  explicit EnvironmentScope(Environment* environment) : previous_(Environment::current_) {
    Environment::current_ = environment;
  }
  ~EnvironmentScope() { Environment::current_ = previous_; }
  EnvironmentScope(const EnvironmentScope&) = delete;
  EnvironmentScope& operator=(const EnvironmentScope&) = delete;

 private:
  Environment* const previous_;
};

inline napi_env CurrentEnv() { return Environment::Current().env(); }

}  // namespace shim

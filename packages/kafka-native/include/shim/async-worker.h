// Nan::AsyncWorker: work on another thread, its result on the JavaScript thread.
#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include "shim/callback.h"

namespace Nan {

class AsyncWorker;

// AsyncWorker's `callback` member: an owning pointer that can be called through
// even when it is null. A consume loop that delivers a backlog still calls
// `callback` after a handler has disconnected the consumer and so deleted it;
// NAN's plain pointer crashes there.
class CallbackPointer {
 public:
  explicit CallbackPointer(Callback* callback) : callback_(callback) {}
  CallbackPointer(const CallbackPointer&) = delete;
  CallbackPointer& operator=(const CallbackPointer&) = delete;

  const Callback* operator->() const;
  explicit operator bool() const { return callback_ != nullptr; }

 private:
  friend class AsyncWorker;
  std::unique_ptr<Callback> callback_;
};

class AsyncWorker {
 public:
  explicit AsyncWorker(Callback* callback) : callback(callback) {}
  virtual ~AsyncWorker() = default;
  AsyncWorker(const AsyncWorker&) = delete;
  AsyncWorker& operator=(const AsyncWorker&) = delete;

  // On a pool thread.
  virtual void Execute() = 0;
  // On the JavaScript thread, once Execute() has returned.
  virtual void WorkComplete();
  virtual void Destroy() { delete this; }

 protected:
  virtual void HandleOKCallback() { callback->Call(0, nullptr); }
  virtual void HandleErrorCallback();
  void SetErrorMessage(const char* message) { error_message_ = std::make_unique<std::string>(message); }
  // Null when there was no error.
  const char* ErrorMessage() const { return error_message_ ? error_message_->c_str() : nullptr; }

  CallbackPointer callback;

 private:
  std::unique_ptr<std::string> error_message_;
};

static_assert(!std::is_copy_constructible_v<AsyncWorker>);

// Takes over the worker. The event loop stays alive until it is complete.
void AsyncQueueWorker(AsyncWorker* worker);

}  // namespace Nan

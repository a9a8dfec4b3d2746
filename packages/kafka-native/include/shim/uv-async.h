// uv_async_t: a wake-up of the JavaScript thread from any other thread. Sends
// that come before the callback has run count as one, as in libuv.
#pragma once

#include <atomic>
#include <cstddef>
#include <new>

#include "shim/event-bridge.h"

struct uv_async_t;
struct uv_handle_t;
struct uv_loop_t;

using uv_async_cb = void (*)(uv_async_t* handle);
using uv_close_cb = void (*)(uv_handle_t* handle);

struct uv_handle_t {
  void* data = nullptr;
};

struct uv_async_t : uv_handle_t {
  uv_async_t() = default;
  uv_async_t(const uv_async_t&) = delete;
  uv_async_t& operator=(const uv_async_t&) = delete;

  // Confluent deletes the handle in its close callback while a librdkafka thread
  // may be about to send on it (its Dispatcher::Execute takes no lock). Deleted
  // handles therefore live on in a quarantine, where a late send finds `closed`
  // set, and only the oldest are really destroyed.
  static void operator delete(uv_async_t* handle, std::destroying_delete_t);

  struct Wake final : shim::Task {
    explicit Wake(uv_async_t* owner) : owner(owner) {}
    void Run() override;
    uv_async_t* const owner;
  };
  struct Closing final : shim::Task {
    explicit Closing(uv_async_t* owner) : owner(owner) {}
    void Run() override;
    uv_async_t* const owner;
  };

  shim::Environment* environment = nullptr;
  uv_async_cb callback = nullptr;
  uv_close_cb close_callback = nullptr;
  std::atomic<bool> pending{false};
  std::atomic<bool> closed{false};
  Wake wake{this};
  Closing closing{this};
};

// The loop of the JavaScript thread that asks. (libuv's is always that of the
// main thread, which makes upstream crash in worker threads.)
uv_loop_t* uv_default_loop();
int uv_async_init(uv_loop_t* loop, uv_async_t* handle, uv_async_cb callback);
int uv_async_send(uv_async_t* handle);
void uv_close(uv_handle_t* handle, uv_close_cb callback);

#define NAUV_WORK_CB(name) void name(uv_async_t* async)

#include "shim/uv-async.h"

#include <deque>
#include <mutex>

namespace {

using shim::Environment;

// A client closes four handles when it disconnects; this is what dozens of
// clients that disconnect at once leave behind, 30 KiB.
constexpr size_t kQuarantined = 256;

}  // namespace

void uv_async_t::operator delete(uv_async_t* handle, std::destroying_delete_t) {
  static auto* mutex = new std::mutex;
  static auto* quarantine = new std::deque<uv_async_t*>;
  std::lock_guard<std::mutex> lock(*mutex);
  quarantine->push_back(handle);
  if (quarantine->size() <= kQuarantined) return;
  uv_async_t* oldest = quarantine->front();
  quarantine->pop_front();
  if (oldest->pending.load()) {
    // A wake-up of it is still queued.
    quarantine->push_back(oldest);
    return;
  }
  oldest->~uv_async_t();
  ::operator delete(oldest);
}

void uv_async_t::Wake::Run() {
  owner->pending.store(false);
  if (!owner->closed.load()) owner->callback(owner);
}

void uv_async_t::Closing::Run() {
  shim::EventBridge& bridge = owner->environment->bridge();
  owner->close_callback(owner);
  bridge.Close();
}

uv_loop_t* uv_default_loop() { return reinterpret_cast<uv_loop_t*>(&Environment::Current()); }

int uv_async_init(uv_loop_t* loop, uv_async_t* handle, uv_async_cb callback) {
  handle->environment = reinterpret_cast<Environment*>(loop);
  handle->callback = callback;
  handle->environment->bridge().Open();
  return 0;
}

int uv_async_send(uv_async_t* handle) {
  if (handle->closed.load() || handle->pending.exchange(true)) return 0;
  if (!handle->environment->bridge().Post(&handle->wake)) handle->pending.store(false);
  return 0;
}

void uv_close(uv_handle_t* handle, uv_close_cb callback) {
  auto* async = static_cast<uv_async_t*>(handle);
  async->close_callback = callback;
  async->closed.store(true);
  async->environment->bridge().Post(&async->closing);
}

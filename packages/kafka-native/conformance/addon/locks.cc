#include "surface.h"

namespace surface {

namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 10000;

struct Shared {
  uv_mutex_t mutex;
  uv_rwlock_t lock;
  int by_mutex = 0;
  int by_lock = 0;
  int read = 0;
};

void Work(void* data) {
  auto* shared = static_cast<Shared*>(data);
  for (int i = 0; i < kRounds; i++) {
    uv_mutex_lock(&shared->mutex);
    shared->by_mutex++;
    uv_mutex_unlock(&shared->mutex);
    uv_rwlock_wrlock(&shared->lock);
    shared->by_lock++;
    uv_rwlock_wrunlock(&shared->lock);
  }
}

void Read(void* data) {
  auto* shared = static_cast<Shared*>(data);
  uv_rwlock_rdlock(&shared->lock);
  shared->read = shared->by_lock;
  uv_rwlock_rdunlock(&shared->lock);
}

NAN_METHOD(CountWithThreads) {
  Shared shared;
  int failed = uv_mutex_init(&shared.mutex) + uv_rwlock_init(&shared.lock);
  uv_thread_t threads[kThreads];
  for (uv_thread_t& thread : threads) failed += uv_thread_create(&thread, Work, &shared);
  for (uv_thread_t& thread : threads) failed += uv_thread_join(&thread);

  // A second reader gets in while one is inside.
  uv_rwlock_rdlock(&shared.lock);
  uv_thread_t reader;
  failed += uv_thread_create(&reader, Read, &shared);
  failed += uv_thread_join(&reader);
  uv_rwlock_rdunlock(&shared.lock);

  uv_mutex_destroy(&shared.mutex);
  uv_rwlock_destroy(&shared.lock);
  const bool ok = failed == 0 && shared.by_mutex == kThreads * kRounds &&
                  shared.by_lock == kThreads * kRounds && shared.read == shared.by_lock;
  info.GetReturnValue().Set(Nan::New(ok));
}

}  // namespace

void InitLocks(v8::Local<v8::Object> exports) { Offer(exports, "countWithThreads", CountWithThreads); }

}  // namespace surface

#include "shim/thread.h"

#include <cerrno>
#include <memory>

#include "shim/uv-sync.h"

namespace shim {

namespace {

constexpr size_t kStackSize = size_t{2} * 1024 * 1024;

struct Start {
  void (*entry)(void*);
  void* argument;
};

void* Enter(void* data) {
  const std::unique_ptr<Start> start(static_cast<Start*>(data));
  start->entry(start->argument);
  return nullptr;
}

int Create(pthread_t* thread, int detach_state, void (*entry)(void*), void* argument) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  pthread_attr_setdetachstate(&attributes, detach_state);
  auto start = std::make_unique<Start>(Start{entry, argument});
  const int error = pthread_create(thread, &attributes, Enter, start.get());
  // Owned by the new thread now.
  if (error == 0) (void)start.release();
  pthread_attr_destroy(&attributes);
  return error;
}

}  // namespace

bool StartDetachedThread(void (*entry)(void*), void* argument) {
  pthread_t thread;
  return Create(&thread, PTHREAD_CREATE_DETACHED, entry, argument) == 0;
}

int StartThread(pthread_t* thread, void (*entry)(void*), void* argument) {
  return Create(thread, PTHREAD_CREATE_JOINABLE, entry, argument);
}

void NameThread(const char* name) {
#if defined(__APPLE__)
  pthread_setname_np(name);
#elif defined(__linux__)
  pthread_setname_np(pthread_self(), name);
#else
  (void)name;
#endif
}

}  // namespace shim

int uv_thread_create(uv_thread_t* thread, void (*entry)(void*), void* argument) {
  return shim::StartThread(thread, entry, argument);
}

int uv_rwlock_init(uv_rwlock_t* lock) {
  auto made = std::make_unique<pthread_rwlock_t>();
  const int error = pthread_rwlock_init(made.get(), nullptr);
  if (error != 0) return error;
  lock->lock = std::shared_ptr<pthread_rwlock_t>(made.release(), [](pthread_rwlock_t* last) {
    pthread_rwlock_destroy(last);
    delete last;
  });
  return 0;
}

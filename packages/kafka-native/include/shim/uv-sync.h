// libuv's locks and threads over POSIX threads.
#pragma once

#include <pthread.h>

#include <memory>

using uv_mutex_t = pthread_mutex_t;
using uv_thread_t = pthread_t;

// Copies share one lock. Confluent's dependent admin client copies the lock of
// the client it depends on in order to share it; a copied pthread_rwlock_t
// would be another lock, with a state that nobody clears.
struct uv_rwlock_t {
  std::shared_ptr<pthread_rwlock_t> lock;
};

inline int uv_mutex_init(uv_mutex_t* mutex) { return pthread_mutex_init(mutex, nullptr); }
inline void uv_mutex_destroy(uv_mutex_t* mutex) { pthread_mutex_destroy(mutex); }
inline void uv_mutex_lock(uv_mutex_t* mutex) { pthread_mutex_lock(mutex); }
inline void uv_mutex_unlock(uv_mutex_t* mutex) { pthread_mutex_unlock(mutex); }

int uv_rwlock_init(uv_rwlock_t* lock);
inline void uv_rwlock_destroy(uv_rwlock_t* lock) { lock->lock.reset(); }
inline void uv_rwlock_rdlock(uv_rwlock_t* lock) { pthread_rwlock_rdlock(lock->lock.get()); }
inline void uv_rwlock_rdunlock(uv_rwlock_t* lock) { pthread_rwlock_unlock(lock->lock.get()); }
inline void uv_rwlock_wrlock(uv_rwlock_t* lock) { pthread_rwlock_wrlock(lock->lock.get()); }
inline void uv_rwlock_wrunlock(uv_rwlock_t* lock) { pthread_rwlock_unlock(lock->lock.get()); }

// Zero, or an errno value.
int uv_thread_create(uv_thread_t* thread, void (*entry)(void*), void* argument);
inline int uv_thread_join(uv_thread_t* thread) { return pthread_join(*thread, nullptr); }

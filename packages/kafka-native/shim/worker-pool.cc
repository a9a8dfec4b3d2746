#include "shim/worker-pool.h"

#include <chrono>

#include "shim/async-worker.h"
#include "shim/error.h"
#include "shim/event-bridge.h"
#include "shim/handle-scope.h"
#include "shim/thread.h"

namespace shim {

WorkerPool& WorkerPool::Instance() {
  static auto* pool = new WorkerPool;
  return *pool;
}

void WorkerPool::Submit(Job* job) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (queue_.size() >= idle_ && threads_ < kMaxThreads) {
    if (StartDetachedThread(ThreadMain, this)) {
      threads_++;
    } else if (threads_ == 0) {
      // No thread runs and none can be started: run the job here instead of never.
      lock.unlock();
      job->Execute();
      return;
    }
  }
  queue_.push_back(job);
  work_available_.notify_one();
}

void WorkerPool::ThreadMain(void* pool) {
  NameThread("kafka-worker");
  static_cast<WorkerPool*>(pool)->Loop();
}

void WorkerPool::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    idle_++;
    const bool has_work = work_available_.wait_for(lock, std::chrono::seconds(kIdleSeconds),
                                                   [this] { return !queue_.empty(); });
    idle_--;
    if (!has_work) break;
    Job* job = queue_.front();
    queue_.pop_front();
    lock.unlock();
    job->Execute();
    lock.lock();
  }
  threads_--;
}

namespace {

// A queued AsyncWorker: a job first, then the task that completes it.
class QueuedWorker final : public Job, public Task {
 public:
  QueuedWorker(Environment* environment, Nan::AsyncWorker* worker)
      : environment_(environment), worker_(worker) {
    environment_->bridge().Open();
  }

  void Execute() override {
    worker_->Execute();
    // When the environment has ended in between, the worker is left as it is:
    // its destructor belongs to the JavaScript thread.
    environment_->bridge().Post(this);
  }

  void Run() override {
    Nan::AsyncWorker* worker = worker_;
    EventBridge& bridge = environment_->bridge();
    delete this;
    try {
      worker->WorkComplete();
    } catch (const Unwind& unwind) {
      ThrowUnwound(unwind);
    }
    worker->Destroy();
    bridge.Close();
  }

 private:
  Environment* const environment_;
  Nan::AsyncWorker* const worker_;
};

}  // namespace

}  // namespace shim

namespace Nan {

void AsyncWorker::WorkComplete() {
  HandleScope scope;
  if (error_message_ == nullptr) {
    HandleOKCallback();
  } else {
    HandleErrorCallback();
  }
  callback.callback_.reset();
}

void AsyncWorker::HandleErrorCallback() {
  v8::Local<v8::Value> arguments[1] = {Error(ErrorMessage())};
  callback->Call(1, arguments);
}

void AsyncQueueWorker(AsyncWorker* worker) {
  shim::WorkerPool::Instance().Submit(new shim::QueuedWorker(&shim::Environment::Current(), worker));
}

}  // namespace Nan

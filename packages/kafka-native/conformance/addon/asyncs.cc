#include <atomic>
#include <vector>

#include "surface.h"

namespace surface {

namespace {

// One handle at a time, like one of the client's dispatchers.
struct Listener {
  uv_async_t* async;
  Nan::Callback* callback;
  Nan::Callback* closed;
  uv_thread_t thread;
  int sends;
};

NAUV_WORK_CB(OnAsync) {
  Nan::HandleScope scope;
  auto* listener = static_cast<Listener*>(async->data);
  listener->callback->Call(0, nullptr);
}

void OnClosed(uv_handle_t* handle) {
  Nan::HandleScope scope;
  auto* async = reinterpret_cast<uv_async_t*>(handle);
  auto* listener = static_cast<Listener*>(async->data);
  delete async;
  listener->closed->Call(0, nullptr);
  delete listener->callback;
  delete listener->closed;
  delete listener;
}

Listener* current = nullptr;

NAN_METHOD(Open) {
  current = new Listener();
  current->async = new uv_async_t;
  current->callback = new Nan::Callback(info[0].As<v8::Function>());
  uv_loop_t* loop = uv_default_loop();
  info.GetReturnValue().Set(Nan::New<v8::Number>(uv_async_init(loop, current->async, OnAsync)));
  current->async->data = current;
}

void SendFromThread(void* data) {
  auto* listener = static_cast<Listener*>(data);
  for (int i = 0; i < listener->sends; i++) uv_async_send(listener->async);
}

// All sends end before JavaScript runs again, so that they count as one.
NAN_METHOD(Send) {
  current->sends = Nan::To<int>(info[0]).FromJust();
  const int created = uv_thread_create(&current->thread, SendFromThread, current);
  const int joined = uv_thread_join(&current->thread);
  info.GetReturnValue().Set(Nan::New<v8::Number>(created + joined));
}

NAN_METHOD(Close) {
  current->closed = new Nan::Callback(info[0].As<v8::Function>());
  uv_close(reinterpret_cast<uv_handle_t*>(current->async), OnClosed);
}

// A send after the close is lost.
NAN_METHOD(CloseThenSend) {
  current->closed = new Nan::Callback(info[0].As<v8::Function>());
  uv_async_t* async = current->async;
  uv_close(reinterpret_cast<uv_handle_t*>(async), OnClosed);
  uv_async_send(async);
}

}  // namespace

void InitAsyncs(v8::Local<v8::Object> exports) {
  uv_close_cb on_closed = OnClosed;
  uv_async_cb on_async = OnAsync;
  if (on_closed == nullptr || on_async == nullptr) return;
  Offer(exports, "openAsync", Open);
  Offer(exports, "sendAsync", Send);
  Offer(exports, "closeAsync", Close);
  Offer(exports, "closeThenSendAsync", CloseThenSend);
}

}  // namespace surface

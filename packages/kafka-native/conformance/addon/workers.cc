#include <unistd.h>

#include <string>
#include <utility>

#include "surface.h"

namespace surface {

namespace {

class Sleeper : public Nan::AsyncWorker {
 public:
  Sleeper(Nan::Callback* callback, int milliseconds, std::string error)
      : Nan::AsyncWorker(callback), milliseconds_(milliseconds), error_(std::move(error)) {}

  void Execute() override {
    usleep(milliseconds_ * 1000);
    if (!error_.empty()) SetErrorMessage(error_.c_str());
  }

 protected:
  void HandleOKCallback() override {
    v8::Local<v8::Value> arguments[2] = {Nan::Null(), Nan::New<v8::Number>(milliseconds_)};
    callback->Call(2, arguments);
  }

 private:
  int milliseconds_;
  std::string error_;
};

// Uses NAN's own callbacks, and counts its destructions.
class Plain : public Nan::AsyncWorker {
 public:
  Plain(Nan::Callback* callback, bool fails) : Nan::AsyncWorker(callback), fails_(fails) {}
  ~Plain() override { destroyed++; }
  void Execute() override {
    if (fails_) SetErrorMessage("plain failure");
  }
  void Destroy() override {
    if (fails_ != (ErrorMessage() != nullptr)) abort();
    Nan::AsyncWorker::Destroy();
  }
  void WorkComplete() override {
    Nan::AsyncWorker::WorkComplete();
    if (callback) abort();
  }
  static int destroyed;

 private:
  bool fails_;
};

int Plain::destroyed = 0;

class Failing : public Plain {
 public:
  explicit Failing(Nan::Callback* callback) : Plain(callback, true) {}

 protected:
  void HandleErrorCallback() override {
    Nan::HandleScope scope;
    v8::Local<v8::Value> error = Nan::Error(ErrorMessage());
    Nan::Set(error.As<v8::Object>(), Nan::New("code").ToLocalChecked(), Nan::New(-185));
    v8::Local<v8::Value> arguments[1] = {error};
    callback->Call(1, arguments);
  }
};

NAN_METHOD(Sleep) {
  Nan::Utf8String error(info[1]);
  auto* callback = new Nan::Callback(info[2].As<v8::Function>());
  Nan::AsyncQueueWorker(new Sleeper(callback, Nan::To<int>(info[0]).FromJust(), *error));
}

NAN_METHOD(RunPlain) {
  Nan::AsyncQueueWorker(
      new Plain(new Nan::Callback(info[1].As<v8::Function>()), Nan::To<bool>(info[0]).FromJust()));
}

NAN_METHOD(Fail) { Nan::AsyncQueueWorker(new Failing(new Nan::Callback(info[0].As<v8::Function>()))); }

NAN_METHOD(DestroyedWorkers) { info.GetReturnValue().Set(Nan::New<v8::Number>(Plain::destroyed)); }

}  // namespace

void InitWorkers(v8::Local<v8::Object> exports) {
  Offer(exports, "sleep", Sleep);
  Offer(exports, "runPlain", RunPlain);
  Offer(exports, "fail", Fail);
  Offer(exports, "destroyedWorkers", DestroyedWorkers);
}

}  // namespace surface

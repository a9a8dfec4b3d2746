#include "surface.h"

namespace surface {

namespace {

int destroyed = 0;

class Base : public Nan::ObjectWrap {
 public:
  explicit Base(double value) : value(value) {}
  ~Base() override { destroyed++; }
  double value;
};

class Counter : public Base {
 public:
  explicit Counter(double value) : Base(value) {}

  static void Init(v8::Local<v8::Object> exports) {
    Nan::HandleScope scope;
    v8::Local<v8::FunctionTemplate> description = Nan::New<v8::FunctionTemplate>(New);
    description->SetClassName(Nan::New("Counter").ToLocalChecked());
    v8::Local<v8::ObjectTemplate> instances = description->InstanceTemplate();
    instances->SetInternalFieldCount(1);
    Nan::SetPrototypeMethod(description, "add", Add);
    Nan::SetPrototypeMethod(description, "value", Value);
    Nan::SetPrototypeMethod(description, "addTo", AddTo);
    constructor.Reset(description->GetFunction(Nan::GetCurrentContext()).ToLocalChecked());
    Nan::Set(exports, Nan::New("Counter").ToLocalChecked(),
             description->GetFunction(Nan::GetCurrentContext()).ToLocalChecked());
    Offer(exports, "makeCounter", Make);
  }

 private:
  static NAN_METHOD(New) {
    if (!info.IsConstructCall()) return Nan::ThrowError("non-constructor invocation not supported");
    if (!info[0]->IsNumber()) return Nan::ThrowError("a number, please");
    auto* counter = new Counter(Nan::To<int>(info[0]).FromJust());
    counter->Wrap(info.This());
    info.GetReturnValue().Set(info.This());
  }

  static NAN_METHOD(Add) {
    Base* base = ObjectWrap::Unwrap<Base>(info.This());
    base->value += Nan::To<int>(info[0]).FromJust();
    info.GetReturnValue().Set(Nan::New<v8::Number>(base->value));
  }

  static NAN_METHOD(Value) {
    info.GetReturnValue().Set(Nan::New<v8::Number>(ObjectWrap::Unwrap<Counter>(info.This())->value));
  }

  // Unwraps an argument, not the receiver.
  static NAN_METHOD(AddTo) {
    auto* from = ObjectWrap::Unwrap<Counter>(info.This());
    auto* to = ObjectWrap::Unwrap<Counter>(info[0].As<v8::Object>());
    to->value += from->value;
    info.GetReturnValue().Set(Nan::New<v8::Number>(to->value));
  }

  static NAN_METHOD(Make) {
    Nan::EscapableHandleScope scope;
    v8::Local<v8::Value> arguments[1] = {info[0]};
    v8::Local<v8::Function> function = Nan::New<v8::Function>(constructor);
    v8::Local<v8::Object> instance = Nan::NewInstance(function, 1, arguments).ToLocalChecked();
    info.GetReturnValue().Set(scope.Escape(instance));
  }

  static Nan::Persistent<v8::Function> constructor;
};

Nan::Persistent<v8::Function> Counter::constructor;

class Other : public Nan::ObjectWrap {
 public:
  static void Init(v8::Local<v8::Object> exports) {
    v8::Local<v8::FunctionTemplate> description = Nan::New<v8::FunctionTemplate>(New);
    description->SetClassName(Nan::New("Other").ToLocalChecked());
    description->InstanceTemplate()->SetInternalFieldCount(1);
    Nan::SetPrototypeMethod(description, "ping", Ping);
    Nan::Set(exports, Nan::New("Other").ToLocalChecked(),
             description->GetFunction(Nan::GetCurrentContext()).ToLocalChecked());
  }

 private:
  static NAN_METHOD(New) {
    (new Other)->Wrap(info.This());
    info.GetReturnValue().Set(info.This());
  }
  static NAN_METHOD(Ping) { info.GetReturnValue().Set(Nan::New("pong").ToLocalChecked()); }
};

NAN_METHOD(Destroyed) { info.GetReturnValue().Set(Nan::New<v8::Number>(destroyed)); }

}  // namespace

void InitClasses(v8::Local<v8::Object> exports) {
  Counter::Init(exports);
  Other::Init(exports);
  Offer(exports, "destroyed", Destroyed);
}

}  // namespace surface

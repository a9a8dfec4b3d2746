#include <vector>

#include "surface.h"

namespace surface {

namespace {

// The opaque of a message, from produce() to its delivery report.
std::vector<Nan::Persistent<v8::Value>*> opaques;

NAN_METHOD(Keep) { opaques.push_back(new Nan::Persistent<v8::Value>(info[0])); }

NAN_METHOD(TakeLast) {
  Nan::Persistent<v8::Value>* opaque = opaques.back();
  opaques.pop_back();
  v8::Local<v8::Value> value = Nan::New(*opaque);
  opaque->Reset();
  delete opaque;
  info.GetReturnValue().Set(value);
}

NAN_METHOD(TakeFirst) {
  Nan::Persistent<v8::Value>* opaque = opaques.front();
  opaques.erase(opaques.begin());
  info.GetReturnValue().Set(Nan::New(*opaque));
  opaque->Reset();
  delete opaque;
}

Nan::Persistent<v8::Function> kept_function;

NAN_METHOD(Refill) {
  kept_function.Reset(info[0].As<v8::Function>());
  info.GetReturnValue().Set(Nan::New<v8::Function>(kept_function));
}

// Confluent declares members of this type; all they have to do is exist.
v8::Persistent<v8::Function> unused;

}  // namespace

void InitReferences(v8::Local<v8::Object> exports) {
  Offer(exports, "keep", Keep);
  Offer(exports, "takeLast", TakeLast);
  Offer(exports, "takeFirst", TakeFirst);
  Offer(exports, "refill", Refill);
  (void)unused;
}

}  // namespace surface

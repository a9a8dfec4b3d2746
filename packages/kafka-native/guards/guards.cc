#include "guards.h"

#include <nan.h>

#include "shim/template.h"
#include "src/connection.h"

namespace guards {

namespace {

using NodeKafka::Connection;

Nan::FunctionCallback set_poll_in_background = nullptr;
Nan::FunctionCallback send_offsets_to_transaction = nullptr;

NAN_METHOD(SetPollInBackground) {
  if (!Nan::ObjectWrap::Unwrap<Connection>(info.This())->IsConnected()) {
    return Nan::ThrowError("Client is disconnected");
  }
  set_poll_in_background(info);
}

NAN_METHOD(SendOffsetsToTransaction) {
  if (info[1]->IsObject() && !Nan::ObjectWrap::Unwrap<Connection>(info[1].As<v8::Object>())->IsConnected()) {
    return Nan::ThrowError("Consumer is disconnected");
  }
  send_offsets_to_transaction(info);
}

}  // namespace

void Install() {
  shim::ClassTemplate& producer = shim::ClassTemplate::Named("Producer");
  set_poll_in_background = producer.ReplaceMethod("setPollInBackground", SetPollInBackground);
  send_offsets_to_transaction = producer.ReplaceMethod("sendOffsetsToTransaction", SendOffsetsToTransaction);
}

}  // namespace guards

const { addon, show, collectGarbage } = require("../harness/case.cjs");

const values = [Buffer.from("abc"), Buffer.alloc(0), new Uint8Array(3), "abc", null, undefined, {}, [], 1];
show("is a buffer", values.map(addon.isBuffer));
show("length", addon.bufferLength(Buffer.from("abc")), addon.bufferLength(Buffer.alloc(0)));
show("length of a slice", addon.bufferLength(Buffer.from("0123456789").subarray(3, 7)));
show("sum", addon.bufferSum(Buffer.from([1, 2, 255])), addon.bufferSum(Buffer.alloc(0)));
show("sum of a slice", addon.bufferSum(Buffer.from([1, 2, 3, 4]).subarray(1, 3)));
show("sum of a typed array", addon.bufferSum(new Uint8Array([4, 5])));
const target = Buffer.from("abc");
addon.writeFirst(target);
show("written through", target.toString());

// Around the size from which the memory is handed over instead of copied, and far above it.
for (const size of [0, 1, 4096, 4097, 100_000, 5_000_000]) {
  const buffer = addon.newBuffer(size);
  show(
    "new",
    size,
    Buffer.isBuffer(buffer),
    buffer.length,
    buffer.every((byte) => byte === 110),
  );
}
for (let i = 0; i < 200; i++) {
  addon.newBuffer(1_000_000);
  if (i % 20 === 0) collectGarbage();
}
const encoded = addon.encode();
show("encode", Buffer.isBuffer(encoded), encoded.toString("hex"));
show("encode nothing", Buffer.isBuffer(addon.encodeNothing()), addon.encodeNothing().length);

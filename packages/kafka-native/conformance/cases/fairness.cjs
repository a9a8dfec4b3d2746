// A stream of wake-ups from another thread must not keep timers and I/O waiting.
// oracle: no: libuv handles one wake-up per turn
const { addon, show } = require("../harness/case.cjs");

const busy = (ms) => {
  for (const end = performance.now() + ms; performance.now() < end; );
};

let ended = false;
let running = 0;
// Workers that are requeued as they complete, and whose callbacks take longer than a turn's share.
const again = () => {
  busy(3);
  if (ended) running--;
  else addon.sleep(0, "", again);
};
for (; running < 32; running++) addon.sleep(0, "", again);

let ticks = 0;
let longest = 0;
let last = performance.now();
const timer = setInterval(() => {
  const now = performance.now();
  longest = Math.max(longest, now - last);
  last = now;
  if (++ticks < 20) return;
  clearInterval(timer);
  ended = true;
  show("twenty ticks");
  show("none waited for the stream's end", longest < 2000);
}, 5);

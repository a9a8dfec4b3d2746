// Lets a listening socket end the handshakes that have begun, and begin no other.
//
// A listener that closes resets the connections that it has not accepted, and with them requests that may be on their way
// already. Between its last accept and its close there is always a moment for one more. So SYN segments are dropped first:
// their senders repeat them a second later, find the port closed, and have sent no request yet.
import { dlopen, ptr } from "bun:ffi";

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;

/** A classic BPF program (the kernel's networking/filter.rst) that runs on the TCP header: [code, jt, jf, k] each. */
const DROP_SYN = [
  [0x30, 0, 0, 13], // load the byte of the flags
  [0x45, 0, 1, 0x02], // has it the SYN bit?
  [0x06, 0, 0, 0], // drop the segment
  [0x06, 0, 0, 0xffff_ffff], // accept it
] as const;

/** @returns false where the system has no such filters: nothing has changed then */
export function dropSyns(listenerFd: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    const { symbols, close } = dlopen("libc.so.6", {
      setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
    });
    const filter = toFilter();
    const program = new DataView(new ArrayBuffer(16));
    program.setUint16(0, DROP_SYN.length, true);
    program.setBigUint64(8, BigInt(ptr(filter)), true);
    const result = symbols.setsockopt(listenerFd, SOL_SOCKET, SO_ATTACH_FILTER, ptr(program), 16);
    close();
    return result === 0;
  } catch {
    return false; // Another C library, or none that can be loaded.
  }
}

/** The program as an array of `struct sock_filter`. */
function toFilter(): DataView {
  const filter = new DataView(new ArrayBuffer(8 * DROP_SYN.length));
  for (const [index, [code, jt, jf, k]] of DROP_SYN.entries()) {
    const at = 8 * index;
    filter.setUint16(at, code, true);
    filter.setUint8(at + 2, jt);
    filter.setUint8(at + 3, jf);
    filter.setUint32(at + 4, k, true);
  }
  return filter;
}

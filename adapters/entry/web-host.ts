import type { TextCodec } from "../../src/contracts/platform.ts";

const encoder = new TextEncoder();
/** As it is stored: by default it would drop a byte order mark in front. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Text by what every runtime has. */
export const webText: TextCodec = {
  write: (value, into, at) => encoder.encodeInto(value, into.subarray(at)).written,
  read: (from, at, length) => decoder.decode(from.subarray(at, at + length)),
};

/** Runs `callback` as its own turn of the event loop, without the delays that timers have. */
export function webDefer(callback: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    callback();
  };
  port2.postMessage(null);
}

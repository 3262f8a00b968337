import type { PeerChannel, StorageLease } from "../../../src/contracts/storage-driver.ts";
import { opfsStorage } from "../../../adapters/storage/web/opfs.ts";
import { PeerProbe } from "../../contract/storage-driver/peer-probe.ts";
import type { ContextCalls } from "./context.ts";

/** Another context of the origin, for tests in a page: does what it is asked to (`context.ts`). */

const driver = opfsStorage();
let lease: StorageLease | undefined;
let probe: PeerProbe | undefined;
const accepted: PeerProbe[] = [];

const owned = (): StorageLease => {
  if (lease === undefined) throw new Error("This context owns nothing.");
  return lease;
};
const talking = (): PeerProbe => {
  if (probe === undefined) throw new Error("This context is not connected.");
  return probe;
};

const calls: ContextCalls = {
  async acquire(database) {
    const acquisition = await driver.acquire(database);
    if (acquisition.role === "owner") lease = acquisition.lease;
    return acquisition.role;
  },
  async release() {
    await owned().release();
  },
  async echo() {
    owned().accept?.((channel) => {
      channel.listen({ onMessage: (message) => channel.send(message), onClose: () => undefined });
    });
  },
  async collect() {
    owned().accept?.((channel) => void accepted.push(new PeerProbe(channel)));
  },
  async collected(index) {
    const member = accepted[index];
    return { members: accepted.length, messages: member?.messages ?? [], isClosed: (member?.ends.length ?? 0) > 0 };
  },
  async memberClosed(index) {
    await accepted[index]?.closed();
  },
  async write(text) {
    const file = owned().open("db");
    file.write(new TextEncoder().encode(text), 0);
    file.flush();
  },
  async read() {
    const file = owned().open("db");
    const bytes = new Uint8Array(file.size());
    file.read(bytes, 0);
    return new TextDecoder().decode(bytes);
  },
  async verify() {
    owned().verify();
  },
  async connect(database) {
    const channel: PeerChannel | undefined = await (await driver.meet?.(database))?.connect();
    probe = channel === undefined ? undefined : new PeerProbe(channel);
    return channel !== undefined;
  },
  async say(message) {
    talking().channel.send(message);
  },
  async heard(count) {
    return talking().received(count);
  },
  async closed() {
    return String(await talking().closed());
  },
};

addEventListener("message", ({ data }: MessageEvent<{ id: number; call: keyof ContextCalls; values: unknown[] }>) => {
  const { id, call, values } = data;
  (calls[call] as (...values: unknown[]) => Promise<unknown>)(...values).then(
    (value) => postMessage({ id, value }),
    (error: unknown) => postMessage({ id, error: error instanceof Error ? error.name : String(error) }),
  );
});

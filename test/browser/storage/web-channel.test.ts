import { afterEach, describe, expect, it } from "vitest";
import { WebChannel } from "../../../adapters/storage/web/web-channel.ts";
import { type HeldLock, tryLock } from "../../../adapters/storage/web/web-locks.ts";
import {
  fenceName,
  lineName,
  memberLockName,
  newWebId,
  ownerLockName,
  type WebPlace,
} from "../../../adapters/storage/web/web-names.ts";
import { becomeWebOwner, meetWebOwner } from "../../../adapters/storage/web/web-ownership.ts";
import { WebReception } from "../../../adapters/storage/web/web-reception.ts";
import { PayloadTooLargeError, StorageIoError, UnsupportedEnvironmentError } from "../../../src/errors.ts";
import type { PeerChannel } from "../../../src/contracts/storage-driver.ts";
import { PeerProbe } from "../../contract/storage-driver/peer-probe.ts";

/** An owner made of its parts, so that a test decides when it does what. */
interface Owner {
  readonly place: WebPlace;
  readonly id: string;
  readonly fence: HeldLock;
  readonly life: HeldLock;
}

const newPlace = (): WebPlace => ({ driver: "test", database: crypto.randomUUID() });

async function anOwner(): Promise<Owner> {
  const place = newPlace();
  const id = newWebId();
  const fence = (await tryLock(fenceName(place))) ?? expect.unreachable();
  const life = (await tryLock(ownerLockName(place, id))) ?? expect.unreachable();
  return { place, id, fence, life };
}

async function join(place: WebPlace): Promise<PeerChannel> {
  return (await (await meetWebOwner(place))?.connect()) ?? expect.unreachable("nobody was met");
}

describe("a connection between two contexts", () => {
  const closing: { close(): void }[] = [];
  const listenAt = (
    name: string,
  ): { readonly channel: BroadcastChannel; readonly heard: unknown[]; next(): Promise<unknown> } => {
    const channel = new BroadcastChannel(name);
    const heard: unknown[] = [];
    let wake: (value: unknown) => void = () => undefined;
    channel.onmessage = ({ data }) => {
      heard.push(data);
      wake(data);
    };
    closing.push(channel);
    return { channel, heard, next: () => new Promise((resolve) => (wake = resolve)) };
  };
  const receive = ({
    place,
    id,
  }: Owner): { readonly reception: WebReception; readonly accepted: PeerProbe[]; next(): Promise<PeerProbe> } => {
    const reception = new WebReception(place, id);
    const accepted: PeerProbe[] = [];
    let wake: (probe: PeerProbe) => void = () => undefined;
    reception.accept((channel) => {
      const probe = new PeerProbe(channel);
      accepted.push(probe);
      wake(probe);
    });
    closing.push(reception);
    return { reception, accepted, next: () => new Promise((resolve) => (wake = resolve)) };
  };

  afterEach(() => {
    for (const each of closing.splice(0)) each.close();
  });

  it("comes about although nobody heard the first knocks", async () => {
    const owner = await anOwner();
    const door = listenAt(fenceName(owner.place));
    const member = await join(owner.place);
    member.send("early");
    await door.next();
    await door.next();
    const { next } = receive(owner);
    expect(await (await next()).received(1)).toEqual(["early"]);
  });

  it("ends when the owner dies without having answered", async () => {
    const owner = await anOwner();
    const member = new PeerProbe(await join(owner.place));
    await owner.life.release();
    expect(await member.closed()).toBeUndefined();
  });

  it("is there once, however often its knock is heard", async () => {
    const owner = await anOwner();
    const door = listenAt(fenceName(owner.place));
    const { accepted, next } = receive(owner);
    const knocked = door.next();
    const member = new PeerProbe(await join(owner.place));
    const knock = await knocked;
    for (let repetition = 0; repetition < 5; repetition++) door.channel.postMessage(knock);
    member.channel.send("hello");
    const probe = accepted[0] ?? (await next());
    expect(await probe.received(1)).toEqual(["hello"]);
    member.channel.close();
    await probe.closed();
    await member.closed();
    for (let repetition = 0; repetition < 5; repetition++) door.channel.postMessage(knock);
    const other = new PeerProbe(await join(owner.place));
    other.channel.send("other");
    await (await next()).received(1);
    expect(accepted).toHaveLength(2);
  });

  it("is not there for knocks that no member made", async () => {
    const owner = await anOwner();
    const { accepted, next } = receive(owner);
    const door = listenAt(fenceName(owner.place));
    const connection = newWebId();
    const knock = { stem: 1, type: "knock", owner: owner.id, connection };
    const spoofs = [
      knock,
      { ...knock, owner: newWebId() },
      { ...knock, connection: "short" },
      { ...knock, connection: undefined },
      { ...knock, stem: 2 },
      { ...knock, type: "leader" },
      null,
      "knock",
      7,
      [],
    ];
    for (const spoof of spoofs) door.channel.postMessage(spoof);
    const waiting = next();
    new PeerProbe(await join(owner.place)).channel.send("real");
    expect(await (await waiting).received(1)).toEqual(["real"]);
    expect(accepted).toHaveLength(1);
  });

  it("goes on through frames that were said before, by the wrong side, or by nobody who knows it", async () => {
    const { owners, member, line } = await talk();
    member.channel.send("first");
    await owners.received(1);
    const repeated = line.heard.filter((frame) => (frame as { type?: string }).type === "message");
    expect(repeated).toHaveLength(1);
    const said = { stem: 1, from: "member", type: "message", number: 1, text: '"spoofed"' };
    const nonsense = [
      { ...said, from: "nobody" },
      { ...said, stem: 0 },
      { ...said, number: -1 },
      { ...said, number: 0.5 },
      { ...said, number: "1" },
      { ...said, text: 1 },
      { ...said, type: "run" },
      { stem: 1, from: "member", type: "bye" },
      { stem: 1, from: "member", type: "gone" },
      null,
      "bye",
      undefined,
    ];
    for (const frame of [...repeated, ...nonsense]) line.channel.postMessage(frame);
    member.channel.send("second");
    expect(await owners.received(2)).toEqual(["first", "second"]);
    owners.channel.send("answer");
    expect(await member.received(1)).toEqual(["answer"]);
    expect([...owners.ends, ...member.ends]).toEqual([]);
  });

  it.each([
    ["a message is missing", { number: 7, text: "1" }],
    ["a message is no JSON", { number: 1, text: "{" }],
  ])("ends with a typed error when %s", async (_, frame) => {
    const { owners, member, line } = await talk();
    member.channel.send("first");
    await owners.received(1);
    line.channel.postMessage({ stem: 1, from: "member", type: "message", ...frame });
    expect(await owners.closed()).toBeInstanceOf(StorageIoError);
    await member.closed();
    expect(owners.messages).toEqual(["first"]);
  });

  it("refuses a message beyond 128 MiB, and goes on", async () => {
    const { owners, member } = await talk();
    expect(() => member.channel.send("x".repeat(128 * 1024 * 1024))).toThrow(PayloadTooLargeError);
    member.channel.send("small");
    expect(await owners.received(1)).toEqual(["small"]);
  });

  it("leaves no lock and no channel behind when it was closed", async () => {
    const { owners, member, owner } = await talk();
    member.channel.close();
    await Promise.all([owners.closed(), member.closed()]);
    await until(async () => {
      const { held, pending } = await navigator.locks.query();
      const names = [...(held ?? []), ...(pending ?? [])].map(({ name }) => name ?? "");
      return names.filter((name) => name.startsWith(fenceName(owner.place))).length === 2;
    });
  });

  it("is between the owner and each of many members", async () => {
    const place = newPlace();
    const result = await becomeWebOwner(place);
    if ("peer" in result) return expect.unreachable();
    result.owner.accept((channel) => {
      channel.listen({ onMessage: (message) => channel.send(message), onClose: () => undefined });
    });
    const members = await Promise.all(Array.from({ length: 50 }, async () => new PeerProbe(await join(place))));
    for (const [index, { channel }] of members.entries()) channel.send(index);
    expect(await Promise.all(members.map(async (member) => (await member.received(1))[0]))).toEqual([
      ...members.keys(),
    ]);
    await result.owner.release();
    await Promise.all(members.map((member) => member.closed()));
  });

  /** A connection whose private line is listened to. */
  async function talk(): Promise<{
    readonly owner: Owner;
    readonly owners: PeerProbe;
    readonly member: PeerProbe;
    readonly line: ReturnType<typeof listenAt>;
  }> {
    const owner = await anOwner();
    const connection = newWebId();
    const line = listenAt(lineName(owner.place, connection));
    const life = await tryLock(memberLockName(owner.place, connection));
    const { next } = receive(owner);
    const accepted = next();
    const member = new PeerProbe(
      new WebChannel({
        place: owner.place,
        side: "member",
        connection,
        otherLock: ownerLockName(owner.place, owner.id),
        onEnd: () => void life?.release(),
      }),
    );
    const door = listenAt(fenceName(owner.place));
    door.channel.postMessage({ stem: 1, type: "knock", owner: owner.id, connection });
    return { owner, owners: await accepted, member, line };
  }
});

describe("ownership in a browser", () => {
  it("is refused where there are no Web Locks: two tabs could not know of each other", async () => {
    Object.defineProperty(navigator, "locks", { value: undefined, configurable: true });
    try {
      await expect(becomeWebOwner(newPlace())).rejects.toThrow(UnsupportedEnvironmentError);
      await expect(meetWebOwner(newPlace())).rejects.toThrow(/Web Locks/);
    } finally {
      Reflect.deleteProperty(navigator, "locks");
    }
  });

  it.each(["meet", "become"] as const)("waits for an owner that is about to open or close, to %s it", async (what) => {
    const { place, fence, life } = await anOwner();
    await life.release();
    const found = what === "meet" ? meetWebOwner(place) : becomeWebOwner(place);
    for (let look = 0; look < 10; look++) await navigator.locks.query();
    await fence.release();
    const result = await found;
    if (what === "meet") return expect(result).toBeUndefined();
    if (result === undefined || !("owner" in result)) return expect.unreachable("the place was free");
    await result.owner.release();
  });
});

/** Asks again until the answer is yes. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}

import { describe, expect, it } from "vitest";
import type { PeerChannel, StorageLease, StoragePeer } from "../../../src/contracts/storage-driver.ts";
import { ClosedError, PayloadNotSerializableError } from "../../../src/errors.ts";
import { PeerProbe } from "./peer-probe.ts";
import { type OpenStorage, StorageFixture } from "./storage-under-test.ts";

/** Members and the owner talk over channels. */
export function describePeers(open: OpenStorage): void {
  describe("the channels to an owner", () => {
    const fixture = new StorageFixture(open);

    it("carry messages of both directions whole and in order", async () => {
      const lease = await fixture.own();
      const owners = nextPeer(lease);
      const member = new PeerProbe(await connected(await peerOf(fixture)));
      const sent = Array.from({ length: 500 }, (_, index) => ({
        index,
        text: "ä\u2028\ud800".repeat(index % 40),
        none: null,
      }));
      for (const message of sent) member.channel.send(message);
      const owner = new PeerProbe(await owners);
      expect(await owner.received(500)).toEqual(sent);
      for (const message of sent) owner.channel.send(message);
      expect(await member.received(500)).toEqual(sent);
    });

    it("tell a message after its sending returned", async () => {
      const { owner, member } = await talk(fixture);
      member.channel.send("hello");
      expect(owner.messages).toEqual([]);
      expect(await owner.received(1)).toEqual(["hello"]);
    });

    it("carry every JSON value", async () => {
      const { owner, member } = await talk(fixture);
      const values = [null, true, 0, -1.5, "", "text", [], {}, [[null]], { "": { __proto__: null } }];
      for (const value of values) member.channel.send(value);
      expect(await owner.received(values.length)).toEqual(JSON.parse(JSON.stringify(values)));
    });

    it("copy a message before it may change", async () => {
      const { owner, member } = await talk(fixture);
      const message = { list: [1] };
      member.channel.send(message);
      message.list.push(2);
      expect(await owner.received(1)).toEqual([{ list: [1] }]);
    });

    it("refuse what is not a JSON value, and go on", async () => {
      const { owner, member } = await talk(fixture);
      const circle: unknown[] = [];
      circle.push(circle);
      for (const message of [undefined, circle, 7n]) {
        expect(() => member.channel.send(message)).toThrow(PayloadNotSerializableError);
      }
      member.channel.send("fine");
      expect(await owner.received(1)).toEqual(["fine"]);
    });

    it("hold what arrives before the owner accepts, and are handed over in the order they were opened", async () => {
      const lease = await fixture.own();
      const peer = await peerOf(fixture);
      for (const name of ["a", "b", "c"]) {
        const member = await connected(peer);
        member.send([name, 1]);
        member.send([name, 2]);
      }
      await turns();
      const accepted: PeerProbe[] = [];
      const all = new Promise<void>((resolve) => {
        lease.accept?.((channel) => {
          accepted.push(new PeerProbe(channel));
          if (accepted.length === 4) resolve();
        });
      });
      (await connected(peer)).send(["d", 1]);
      await all;
      const first = await Promise.all(accepted.map(async (probe) => (await probe.received(1))[0]));
      expect(first).toEqual([
        ["a", 1],
        ["b", 1],
        ["c", 1],
        ["d", 1],
      ]);
      expect(await accepted[0]?.received(2)).toEqual([
        ["a", 1],
        ["a", 2],
      ]);
    });

    it("hold what arrives before somebody listens, also when they close meanwhile", async () => {
      const { owner, member } = await talk(fixture, { isDeaf: true });
      member.channel.send(1);
      member.channel.send(2);
      member.channel.close();
      await member.closed();
      await turns();
      let isListening = true;
      owner.channel.listen({
        onMessage: (message) => {
          expect(isListening).toBe(false);
          owner.onMessage(message);
        },
        onClose: (cause) => owner.onClose(cause),
      });
      isListening = false;
      expect(await owner.received(2)).toEqual([1, 2]);
      await owner.closed();
      expect(owner.messages).toEqual([1, 2]);
    });

    it("carry a message of 5 MB between small ones", async () => {
      const { owner, member } = await talk(fixture);
      const big = { text: "0123456789".repeat(500_000) };
      for (const message of ["before", big, "after"]) member.channel.send(message);
      expect(await owner.received(3)).toEqual(["before", big, "after"]);
      for (const message of ["before", big, "after"]) owner.channel.send(message);
      expect(await member.received(3)).toEqual(["before", big, "after"]);
    });

    it.each(["owner", "member"] as const)(
      "tell both sides once that the %s closed them, after what was sent",
      async (who) => {
        const talking = await talk(fixture);
        const [closing, other] = who === "owner" ? [talking.owner, talking.member] : [talking.member, talking.owner];
        closing.channel.send("last");
        closing.channel.close();
        closing.channel.close();
        closing.channel.send("too late");
        expect([await closing.closed(), await other.closed()]).toEqual([undefined, undefined]);
        other.channel.send("nobody hears");
        other.channel.close();
        await turns();
        expect(other.messages).toEqual(["last"]);
        expect([closing.ends, other.ends]).toEqual([[undefined], [undefined]]);
      },
    );

    it("tell nothing after their own side closed them from within a message", async () => {
      const { owner, member } = await talk(fixture, { isDeaf: true });
      const heard: unknown[] = [];
      const closed = new Promise<void>((resolve) => {
        owner.channel.listen({
          onMessage: (message) => {
            heard.push(message);
            owner.channel.close();
          },
          onClose: () => resolve(),
        });
      });
      for (const message of [1, 2, 3]) member.channel.send(message);
      await closed;
      await member.closed();
      expect(heard).toEqual([1]);
    });

    it("are closed on both sides by the release, those that nobody accepted too", async () => {
      const { lease, owner, member } = await talk(fixture);
      const other = await fixture.own(fixture.storage.otherDatabase);
      const waiting = new PeerProbe(await connected(await peerOf(fixture, fixture.storage.otherDatabase)));
      await lease.release();
      await other.release();
      await Promise.all([owner.closed(), member.closed(), waiting.closed()]);
      await turns();
      expect([owner.ends, member.ends, waiting.ends].map(({ length }) => length)).toEqual([1, 1, 1]);
      expect(() => lease.accept?.(() => undefined)).toThrow(ClosedError);
    });

    it("cannot be opened once the owner released, and lead to nobody who came after it", async () => {
      const lease = await fixture.own();
      const peer = await peerOf(fixture);
      await lease.release();
      expect(await peer.connect()).toBeUndefined();
      await fixture.own();
      expect(await peer.connect()).toBeUndefined();
    });
  });

  describe("meeting the owner", () => {
    const fixture = new StorageFixture(open);
    const meet = async (): Promise<StoragePeer | undefined> => fixture.driver.meet?.(fixture.database);

    it("gives nobody before there is one and after it released, and one who can be talked to in between", async () => {
      expect(await meet()).toBeUndefined();
      const lease = await fixture.own();
      const owners = nextPeer(lease);
      const met = await meet();
      if (met === undefined) return expect.unreachable("nobody was met");
      expect(met.description).toMatch(/./);
      (await connected(met)).send("hello");
      expect(await new PeerProbe(await owners).received(1)).toEqual(["hello"]);
      await lease.release();
      expect(await meet()).toBeUndefined();
      await fixture.own();
    });

    it("takes nothing: the database is free for the next who asks", async () => {
      expect(await meet()).toBeUndefined();
      await fixture.own();
    });
  });
}

/** The first channel that an owner is given. */
function nextPeer(lease: StorageLease): Promise<PeerChannel> {
  return new Promise((resolve) => {
    lease.accept?.(resolve);
  });
}

async function peerOf(fixture: StorageFixture, database: string = fixture.database): Promise<StoragePeer> {
  const acquisition = await fixture.driver.acquire(database);
  if (acquisition.role === "owner") return expect.unreachable("nobody owned it");
  return acquisition.peer;
}

async function connected(peer: StoragePeer): Promise<PeerChannel> {
  const channel = await peer.connect();
  return channel ?? expect.unreachable("the owner is gone");
}

interface Talk {
  readonly lease: StorageLease;
  readonly owner: PeerProbe;
  readonly member: PeerProbe;
}

/** An owner and a member with a channel between them. */
async function talk(fixture: StorageFixture, options: Readonly<{ isDeaf?: boolean }> = {}): Promise<Talk> {
  const lease = await fixture.own();
  const peer = await peerOf(fixture);
  const owners = nextPeer(lease);
  const channel = await connected(peer);
  const member = new PeerProbe(channel);
  const owner = new PeerProbe(await owners, options.isDeaf);
  return { lease, owner, member };
}

/** Lets everything happen that needs no more than some turns of the event loop. */
async function turns(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  port1.start();
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => {
      port1.addEventListener("message", resolve, { once: true });
      port2.postMessage(turn);
    });
  }
  port1.close();
}

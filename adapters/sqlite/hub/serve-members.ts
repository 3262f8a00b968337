import type { Logger } from "../../../src/contracts/logger.ts";
import type { PeerChannel, StorageLease } from "../../../src/contracts/storage-driver.ts";
import { describeError } from "../../../src/error-transfer.ts";
import type { Durability } from "../durability.ts";
import type { Owner, OwnerMember } from "./owner.ts";
import type { OwnerBatch } from "./protocol.ts";
import { type FromOwner, type Hello, objectionTo, readFromMember } from "./wire.ts";

/** What members of other contexts are served with. */
export interface MemberService {
  readonly owner: Owner;
  readonly durability: Durability;
  /** What members call the owner in their errors, such as `process 4711`. */
  readonly name: string;
  readonly logger: Logger;
}

/** Serves the members that connect to the lease, from now until it is released. */
export function serveMembers(lease: StorageLease, service: MemberService): void {
  lease.accept?.((channel) => serve(channel, service));
}

function serve(channel: PeerChannel, service: MemberService): void {
  let member: OwnerMember | undefined;
  const receive = (raw: unknown): void => {
    const message = readFromMember(raw);
    if (message?.type === "calls" && member !== undefined) member.receive(message.calls, message.answered);
    else if (message?.type === "hello" && member === undefined) member = welcome(channel, message, service);
    else if (message?.type === "leave" && member !== undefined) {
      member.close(true);
      say(channel, { type: "left" });
      channel.close();
    } else {
      service.logger.log("warn", "A connection was closed: it said what no member says.");
      channel.close();
    }
  };
  channel.listen({ onMessage: receive, onClose: () => member?.close(false) });
}

function welcome(channel: PeerChannel, hello: Hello, service: MemberService): OwnerMember | undefined {
  const objection = objectionTo(hello, service.durability);
  if (objection !== undefined) {
    say(channel, { type: "refused", error: describeError(objection) });
    channel.close();
    return undefined;
  }
  say(channel, { type: "welcome", owner: service.name });
  return service.owner.connect((batch) => deliver(channel, batch), { session: hello.session, remote: true });
}

/** What is too large for the channel as a whole goes one by one; an answer that is still too large becomes an error. */
function deliver(channel: PeerChannel, batch: OwnerBatch): void {
  try {
    say(channel, { type: "batch", batch });
  } catch {
    for (const reply of batch.replies) {
      try {
        say(channel, { type: "batch", batch: { replies: [reply], pushes: [] } });
      } catch (error) {
        say(channel, { type: "batch", batch: { replies: [[reply[0], undefined, describeError(error)]], pushes: [] } });
      }
    }
    for (const push of batch.pushes) say(channel, { type: "batch", batch: { replies: [], pushes: [push] } });
  }
}

function say(channel: PeerChannel, message: FromOwner): void {
  channel.send(message);
}

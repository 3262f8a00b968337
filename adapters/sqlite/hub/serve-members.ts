import type { Logger } from "../../../src/contracts/logger.ts";
import type { PeerChannel, StorageLease } from "../../../src/contracts/storage-driver.ts";
import { describeError } from "../../../src/error-transfer.ts";
import type { Durability } from "../durability.ts";
import type { OwnerMember } from "./owner-parts.ts";
import type { Owner } from "./owner.ts";
import type { OwnerBatch, Push, Reply } from "./protocol.ts";
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
  return service.owner.connect((batch) => deliver(channel, batch, service.logger), {
    session: hello.session,
    remote: true,
    context: hello.context,
  });
}

/** What is too large for the channel as a whole goes one by one. */
function deliver(channel: PeerChannel, batch: OwnerBatch, logger: Logger): void {
  try {
    say(channel, { type: "batch", batch });
  } catch {
    for (const reply of batch.replies) deliverReply(channel, reply);
    for (const push of batch.pushes) deliverPush(channel, push, logger);
  }
}

/** An answer that is too large becomes an error. */
function deliverReply(channel: PeerChannel, reply: Reply): void {
  try {
    say(channel, { type: "batch", batch: { replies: [reply], pushes: [] } });
  } catch (error) {
    say(channel, { type: "batch", batch: { replies: [[reply[0], undefined, describeError(error)]], pushes: [] } });
  }
}

/** A message that is too large stays leased until its lease ends, and becomes a dead letter in the end. */
function deliverPush(channel: PeerChannel, [subscription, events]: Push, logger: Logger): void {
  for (const event of events) {
    try {
      say(channel, { type: "batch", batch: { replies: [], pushes: [[subscription, [event]]] } });
    } catch (error) {
      logger.log("error", "A message is too large for the line to the process that takes it.", { error });
    }
  }
}

function say(channel: PeerChannel, message: FromOwner): void {
  channel.send(message);
}

import { MalformedEnvelopeError } from "../errors.ts";
import type { Milliseconds } from "./duration.ts";
import { buildEnvelope, type Envelope } from "./envelope.ts";
import type { JsonObject } from "./json.ts";
import { checkName, isName } from "./names.ts";

/** Names of the envelopes that control messages travel in. */
export const CONTROL_COMMAND = "__stem.control__";
export const CONTROL_REPLY = "__stem.control.reply__";

const HEADERS = { "stem-control": "1" } as const;
/** In place of worker ids: every worker. */
const EVERYBODY = "*";

/** What a worker is told to do. */
export interface ControlCommand {
  readonly requestId: string;
  readonly type: string;
  /** Worker ids, or `*` for all. */
  readonly targets: readonly string[];
  readonly payload: JsonObject;
  readonly timeoutMs?: Milliseconds;
}

/** What one worker answers. */
export interface ControlAnswer {
  readonly requestId: string;
  readonly workerId: string;
  readonly status: "ok" | "error";
  readonly payload: JsonObject;
  readonly error?: string;
}

/** The channel that all workers of a namespace listen to; throws `InvalidNameError` when the name gets too long. */
export function controlChannel(namespace: string): string {
  return checkName("control channel", `${namespace}.control.broadcast`);
}

/** The channel that one worker listens to; throws `InvalidNameError` when the name gets too long. */
export function workerChannel(namespace: string, workerId: string): string {
  return checkName("control channel", `${namespace}.control.worker.${workerId}`);
}

/** The channel that the answers to one command go to; throws `InvalidNameError` for an unfit id. */
export function replyChannel(namespace: string, requestId: string): string {
  return checkName("control channel", `${namespace}.control.reply.${requestId}`);
}

/** The envelope of a command. */
export function commandEnvelope(command: ControlCommand, channel: string, now: number): Envelope {
  const { requestId, type, targets, payload, timeoutMs } = command;
  const args = { requestId, type, targets, payload, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  return buildEnvelope({ name: CONTROL_COMMAND, args, headers: HEADERS, queue: channel }, requestId, now);
}

/** The envelope of an answer, under an id of its own. */
export function replyEnvelope(answer: ControlAnswer, channel: string, id: string, now: number): Envelope {
  const { requestId, workerId, status, payload, error } = answer;
  const args = { requestId, workerId, status, payload, ...(error === undefined ? {} : { error }) };
  return buildEnvelope({ name: CONTROL_REPLY, args, headers: HEADERS, queue: channel }, id, now);
}

/** Where an answer to this message has to go, or `undefined` when it says nothing of the kind. */
export function requestIdOf({ args }: Envelope): string | undefined {
  const { requestId } = args;
  return isName(requestId) ? (requestId as string) : undefined;
}

/** Reads a command; throws `MalformedEnvelopeError` naming the field that is not as it has to be. */
export function readCommand(envelope: Envelope): ControlCommand {
  const args = argsOf(envelope, CONTROL_COMMAND);
  const { type, targets = [EVERYBODY], timeoutMs } = args;
  if (typeof type !== "string" || type === "") throw malformed("type", "is not a text");
  if (!Array.isArray(targets) || !targets.every((target) => typeof target === "string")) {
    throw malformed("targets", "is not an array of worker ids");
  }
  if (timeoutMs !== undefined && typeof timeoutMs !== "number") throw malformed("timeoutMs", "is not a number");
  return {
    requestId: requestIdIn(envelope),
    type,
    targets,
    payload: objectIn(args, "payload"),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

/** Reads an answer; throws `MalformedEnvelopeError` naming the field that is not as it has to be. */
export function readReply(envelope: Envelope): ControlAnswer {
  const args = argsOf(envelope, CONTROL_REPLY);
  const { workerId, status, error } = args;
  if (typeof workerId !== "string" || !isName(workerId)) throw malformed("workerId", "is not a worker's name");
  if (status !== "ok" && status !== "error") throw malformed("status", 'is neither "ok" nor "error"');
  if (error !== undefined && typeof error !== "string") throw malformed("error", "is not a text");
  return {
    requestId: requestIdIn(envelope),
    workerId,
    status,
    payload: objectIn(args, "payload"),
    ...(error === undefined ? {} : { error }),
  };
}

/** Whether a command is meant for this worker. */
export function isMeantFor(command: ControlCommand, workerId: string): boolean {
  return command.targets.includes(EVERYBODY) || command.targets.includes(workerId);
}

function argsOf({ name, headers, args }: Envelope, expected: string): JsonObject {
  if (name !== expected) throw malformed("name", `is not "${expected}"`);
  if (headers["stem-control"] !== "1") throw malformed("headers.stem-control", 'is not "1"');
  return args;
}

function requestIdIn(envelope: Envelope): string {
  const requestId = requestIdOf(envelope);
  if (requestId === undefined) throw malformed("requestId", "is not a name");
  return requestId;
}

function objectIn(args: JsonObject, field: string): JsonObject {
  const value = args[field] ?? {};
  if (typeof value !== "object" || Array.isArray(value)) throw malformed(field, "is not an object");
  return value as JsonObject;
}

function malformed(field: string, reason: string): MalformedEnvelopeError {
  return new MalformedEnvelopeError(`args.${field}`, reason);
}

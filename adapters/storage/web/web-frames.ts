import { isWebId } from "./web-names.ts";

/** The two ends of a connection. */
export type WebSide = "owner" | "member";

/** What the ends of a connection say to each other. */
export type WebFrame =
  /** The owner opened its end. */
  | { readonly type: "welcome" }
  /** The member has heard the welcome. */
  | { readonly type: "ready" }
  | { readonly type: "message"; readonly number: number; readonly text: string }
  /** The last frame of a side that closes; `number` messages came before it. */
  | { readonly type: "bye"; readonly number: number }
  /** A `bye` was heard. */
  | { readonly type: "gone" };

/** What a member says on the channel of the database, again and again, until its owner answers. */
export interface Knock {
  readonly owner: string;
  readonly connection: string;
}

const VERSION = 1;

/** Marks a knock as such. */
export function writeKnock({ owner, connection }: Knock): unknown {
  return { stem: VERSION, type: "knock", owner, connection };
}

/** Reads a knock; `undefined` for anything else. */
export function readKnock(raw: unknown): Knock | undefined {
  if (!isRecord(raw) || raw["stem"] !== VERSION || raw["type"] !== "knock") return undefined;
  const { owner, connection } = raw;
  return isWebId(owner) && isWebId(connection) ? { owner, connection } : undefined;
}

/** Marks a frame with the side that says it. */
export function writeFrame(from: WebSide, frame: WebFrame): unknown {
  return { stem: VERSION, from, ...frame };
}

/** Reads a frame that `from` may say; `undefined` for anything else. */
export function readFrame(from: WebSide, raw: unknown): WebFrame | undefined {
  if (!isRecord(raw) || raw["stem"] !== VERSION || raw["from"] !== from) return undefined;
  const { type, number, text } = raw;
  switch (type) {
    case "welcome":
    case "ready":
    case "gone":
      return { type };
    case "message":
      return isCount(number) && typeof text === "string" ? { type, number, text } : undefined;
    case "bye":
      return isCount(number) ? { type, number } : undefined;
    default:
      return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

import { DatabaseBusyError } from "../../../src/errors.ts";
import { fenceName, isWebId, newWebId, type WebPlace } from "./web-names.ts";
import type { WebOwnership } from "./web-ownership.ts";
import { webPause } from "./web-pause.ts";

/** How long a living owner may take to answer, and how often it is asked in vain before it counts as gone. */
const ROUND_MS = 250;
const SILENT_ROUNDS = 2;
/** A page that is being reloaded may answer a few times for its last life. */
const MOST_ROUNDS = 6;
const VERSION = 1;

/** What contexts without Web Locks say to each other about a database. */
interface Word {
  readonly type: "who" | "owner" | "mine";
  readonly owner: string;
}

/**
 * Takes a database where there are no Web Locks, as on pages without https: for one context alone, as members could not
 * tell whether their owner lives. A living owner says so when it is asked; `DatabaseBusyError` is thrown then.
 *
 * Silence proves nothing, as a context may be busy or frozen. So this is for storage with a fence of its own only: whoever
 * is taken for gone can store nothing any more, and loses its ownership as soon as it hears of the next one, or writes.
 * Of several that ask at the same time, as tabs that are restored together, the one of the least id goes first.
 *
 * `pause` is what passes between two questions, in milliseconds.
 */
export async function becomeLoneOwner(
  place: WebPlace,
  pause: (milliseconds: number) => Promise<void> = webPause,
): Promise<WebOwnership> {
  const id = newWebId();
  const door = new BroadcastChannel(`${fenceName(place)} without locks`);
  let isOwner = false;
  let isInPlace = true;
  let isAnswered = false;
  const say = (type: Word["type"]): void => door.postMessage({ stem: VERSION, type, owner: id });
  door.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    const word = readWord(data);
    if (word === undefined || word.owner === id) return;
    if (isOwner) {
      if (word.type === "who" && isInPlace) say("owner");
      else if (word.type === "mine") isInPlace = false;
    } else if (word.type !== "who" || word.owner < id) isAnswered = true;
  });
  let silent = 0;
  for (let round = 0; round < MOST_ROUNDS && silent < SILENT_ROUNDS; round++) {
    isAnswered = false;
    say("who");
    await pause(ROUND_MS);
    silent = isAnswered ? 0 : silent + 1;
  }
  if (silent < SILENT_ROUNDS) {
    door.close();
    throw new DatabaseBusyError(
      place.database,
      "another tab or worker; several can share it only where there are Web Locks, which need https or localhost",
    );
  }
  isOwner = true;
  say("mine");
  return {
    accept: () => undefined,
    isInPlace: () => isInPlace,
    release: async () => {
      isOwner = false;
      door.close();
    },
  };
}

function readWord(data: unknown): Word | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { stem, type, owner } = data as Readonly<Record<string, unknown>>;
  const isKnown = type === "who" || type === "owner" || type === "mine";
  return stem === VERSION && isKnown && isWebId(owner) ? { type, owner } : undefined;
}

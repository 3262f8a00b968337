import { type Signal, signal } from "@preact/signals";
import { describeError } from "./notices.ts";
import { type Session, session } from "./session.ts";

/** Why the last reading failed; undefined while readings succeed. */
export const readingFault = signal<string | undefined>(undefined);

/** A value that is read again and again while the database is open and the page can be seen. */
export interface Reading<T> {
  readonly value: Signal<T | undefined>;
  /** Reads it soon, instead of when its time has come. */
  refresh(): void;
}

const wakers = new Set<() => void>();

/** Reads everything soon: after an action, so that its effect shows. */
export function refreshAll(): void {
  for (const wake of wakers) wake();
}

/** Reads one after the other, never two at a time: a slow database is asked less often. */
export function poll<T>(everyMs: number, read: (open: Session) => Promise<T>): Reading<T> {
  const value = signal<T | undefined>(undefined);
  let wake = (): void => undefined;
  const rest = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const loop = async (): Promise<never> => {
    for (;;) {
      const open = session.value;
      if (open !== undefined && !document.hidden) {
        try {
          value.value = await read(open);
          readingFault.value = undefined;
        } catch (error) {
          // What was closed on purpose, for an import, is no fault.
          if (session.value === open) readingFault.value = describeError(error);
        }
      }
      await rest();
    }
  };
  wakers.add(() => wake());
  void loop();
  return { value, refresh: () => wake() };
}

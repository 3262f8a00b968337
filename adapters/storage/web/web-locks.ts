import { type StemError, UnsupportedEnvironmentError } from "../../../src/errors.ts";
import { webErrorName, webStorageFailure } from "./web-errors.ts";

/** A Web Lock that this context holds. The browser drops it with the context, however that ends. */
export interface HeldLock {
  /** `false` once it was released, or was taken away: by `steal`, or by a browser that put the page aside. */
  readonly isHeld: boolean;
  /** Resolves once others can have it. Idempotent. */
  release(): Promise<void>;
}

/** Whether there are Web Locks: not on pages without https, except those of this machine. */
export function hasWebLocks(): boolean {
  return (navigator as { readonly locks?: LockManager }).locks !== undefined;
}

/** Throws `UnsupportedEnvironmentError` where there are no Web Locks, as on pages without https. */
export function webLocks(): LockManager {
  const { locks } = navigator as { readonly locks?: LockManager };
  if (locks === undefined) {
    throw new UnsupportedEnvironmentError("Web Locks (navigator.locks), which need https or localhost");
  }
  return locks;
}

/** Takes the lock if nobody has it; never waits for it. */
export function tryLock(name: string): Promise<HeldLock | undefined> {
  return requestLock(name, true);
}

/** Takes a lock that nobody but this context ever takes; waits until an earlier holding of its own is over. */
export async function takeOwnLock(name: string): Promise<HeldLock> {
  const lock = await requestLock(name, false);
  if (lock === undefined) throw new UnsupportedEnvironmentError("Web Locks that are granted to those who wait");
  return lock;
}

function requestLock(name: string, ifAvailable: boolean): Promise<HeldLock | undefined> {
  return new Promise((resolve, reject) => {
    let isHeld = true;
    let letGo: () => void = () => undefined;
    const over: Promise<void> = webLocks().request(name, { ifAvailable }, (lock) => {
      if (lock === null) {
        resolve(undefined);
        return undefined;
      }
      const released = new Promise<void>((done) => (letGo = done));
      resolve({
        get isHeld() {
          return isHeld;
        },
        release: () => {
          isHeld = false;
          letGo();
          return settled;
        },
      });
      return released;
    });
    const settled = over.catch((error: unknown) => {
      isHeld = false;
      // Before the lock was granted this is the answer; after that it was taken away, and there is nothing to release.
      reject(lockFailure("locks.request", name, error));
    });
  });
}

/**
 * The names of all locks that somebody in this origin holds alone. Leaves out what {@link whenFree} is granted for a
 * moment.
 */
export async function heldLockNames(): Promise<readonly string[]> {
  const { held } = await webLocks()
    .query()
    .catch((error: unknown) => {
      throw lockFailure("locks.query", "Web Locks", error);
    });
  return (held ?? []).flatMap(({ name, mode }) => (mode === "exclusive" ? (name ?? []) : []));
}

/** Some pages have Web Locks and may not use them, as where the user forbids a site to store anything. */
function lockFailure(call: string, name: string, error: unknown): StemError {
  if (webErrorName(error) === "SecurityError") {
    return new UnsupportedEnvironmentError("Web Locks (navigator.locks), which the browser refuses to this page");
  }
  return webStorageFailure(call, name, error);
}

/** Whether somebody, this context included, holds the lock alone. */
export async function isLocked(name: string): Promise<boolean> {
  return (await heldLockNames()).includes(name);
}

/**
 * Calls `onFree` once when nobody holds the lock any more, unless the returned function was called before. Waiting for
 * it also keeps browsers from freezing a holder to save energy.
 */
export function whenFree(name: string, onFree: () => void): () => void {
  const controller = new AbortController();
  const tell = (): void => {
    if (!controller.signal.aborted) onFree();
  };
  // A request that fails otherwise is that of a page the browser puts aside: its lines end as well.
  webLocks().request(name, { mode: "shared", signal: controller.signal }, tell).catch(tell);
  return () => controller.abort();
}

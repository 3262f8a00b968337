import type { ContextStay, SuspensionListener } from "../../src/contracts/platform.ts";
import { hasWebLocks, type HeldLock, heldLockNames, takeOwnLock } from "../storage/web/web-locks.ts";
import { newWebId } from "../storage/web/web-names.ts";

const PREFIX = "stem-sqlite context ";

/** Names that were held when somebody looked last. */
let held: ReadonlySet<string> | undefined;

/** For owners: learns which contexts of this origin there are. Where that fails, nothing is known of any. */
export async function lookForBrowserContexts(): Promise<void> {
  const names = sharesAnOrigin() ? await heldLockNames().catch(() => undefined) : undefined;
  held = names === undefined ? undefined : new Set(names);
}

/** Whether the page or worker of this name had ended when {@link lookForBrowserContexts} looked last. */
export function browserContextHasEnded(id: string): boolean {
  return id !== "" && held !== undefined && !held.has(PREFIX + id);
}

/** One for all databases of this page, from the first that is opened until the last one is closed. */
let present: BrowserContext | undefined;

/** Makes this page known, by a lock that it holds while it lives and is not put aside. */
export async function enterBrowserContext(): Promise<ContextStay> {
  const context = (present ??= new BrowserContext());
  const stay = context.add();
  try {
    await context.entered();
    return stay;
  } catch (error) {
    // The next one to be opened tries again.
    stay.leave();
    throw error;
  }
}

class BrowserContext {
  readonly #id = sharesAnOrigin() ? newWebId() : "";
  readonly #listeners = new Map<object, SuspensionListener>();
  readonly #stays = new Set<object>();
  readonly #onPageHide = (event: object): void => {
    if ((event as PageTransition).persisted) this.#suspend();
  };
  readonly #onPageShow = (event: object): void => {
    if ((event as PageTransition).persisted) void this.#resume();
  };
  #lock: Promise<HeldLock | undefined>;

  constructor() {
    this.#lock = this.#hold();
    // Without effect in workers, which are put aside with their page and hear nothing of it.
    addEventListener("pagehide", this.#onPageHide);
    addEventListener("pageshow", this.#onPageShow);
  }

  async entered(): Promise<void> {
    await this.#lock;
  }

  add(): ContextStay {
    const key = {};
    this.#stays.add(key);
    return {
      id: this.#id,
      watch: (listener) => void this.#listeners.set(key, listener),
      leave: () => {
        this.#listeners.delete(key);
        if (this.#stays.delete(key) && this.#stays.size === 0) this.#end();
      },
    };
  }

  #end(): void {
    if (present === this) present = undefined;
    removeEventListener("pagehide", this.#onPageHide);
    removeEventListener("pageshow", this.#onPageShow);
    this.#release();
  }

  /** A lock that a page held would keep it from being put aside, or others from learning that it does not run. */
  #suspend(): void {
    for (const listener of this.#listeners.values()) listener.suspend();
    this.#release();
  }

  async #resume(): Promise<void> {
    const lock = (this.#lock = this.#hold());
    // Without its lock the page goes on as well: what it held then is for others, which they had to expect of it anyway.
    await lock.catch(() => undefined);
    // Put aside again meanwhile.
    if (lock !== this.#lock) return;
    for (const listener of this.#listeners.values()) listener.resume();
  }

  async #hold(): Promise<HeldLock | undefined> {
    return this.#id === "" ? undefined : takeOwnLock(PREFIX + this.#id);
  }

  #release(): void {
    const lock = this.#lock;
    this.#lock = Promise.resolve(undefined);
    lock.then(
      (owned) => owned?.release(),
      // There is nothing to release.
      () => undefined,
    );
  }
}

interface PageTransition {
  readonly persisted: boolean;
}

/** A page of no origin, such as a sandboxed frame, shares nothing with anybody, and is refused the locks it seems to have. */
function sharesAnOrigin(): boolean {
  return hasWebLocks() && (globalThis as { readonly origin?: string }).origin !== "null";
}

import type { Clock, Timer } from "../../../src/contracts/clock.ts";
import type { Randomness } from "../../../src/contracts/identity.ts";
import type { Logger } from "../../../src/contracts/logger.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { DatabaseBusyError, EngineError, StemError } from "../../../src/errors.ts";
import { HubClient } from "./hub-client.ts";
import { keepAlive } from "./inline-link.ts";
import type { LinkListener, OwnerLink } from "./owner-link.ts";
import { connectToOwner, type PeerLinkParts } from "./peer-link.ts";
import type { MemberBatch, OwnerBatch } from "./protocol.ts";

/** How this context would own the database. */
export interface Candidacy {
  /** Becomes the owner; `undefined` when somebody else is. */
  takeOver(listener: LinkListener): Promise<OwnerLink | undefined>;
  /** Makes ready for taking over quickly. */
  prepare(): void;
  /** Ends what was made ready. */
  end(): Promise<void>;
}

/** What a {@link Membership} works with. */
export interface MembershipParts extends PeerLinkParts {
  readonly driver: StorageDriver;
  readonly candidacy: Candidacy;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
}

/** Between two looks for an owner, when others are becoming it; random, so that they do not meet again. */
const LONGEST_PAUSE_MS = 50;
/** Between two tries after a fault. */
const FAULT_PAUSE_MS = 500;
/** A context that listens this long makes ready to be the owner; a short-lived producer never does. */
const PREPARE_AFTER_MS = 1_000;

/**
 * Keeps one client attached to the owner of its database, whoever that is: joins the present owner, or becomes it, and
 * again whenever the owner has gone. A living owner is never robbed.
 */
export class Membership implements OwnerLink {
  readonly #parts: MembershipParts;
  readonly #client: HubClient;
  #link: OwnerLink | undefined;
  #isMember = false;
  #isWaiting = false;
  #stopWaiting: (() => void) | undefined;
  #preparation: Timer | undefined;
  #wake: (() => void) | undefined;
  #seeking: Promise<void> | undefined;
  #isClosing = false;

  private constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#client = new HubClient(() => this);
  }

  /** Resolves to the client once it is attached; throws why it cannot be. */
  static async open(parts: MembershipParts): Promise<HubClient> {
    const membership = new Membership(parts);
    // A pause between two looks must not end a process that has nothing else to do yet.
    const opened = keepAlive(parts.clock);
    try {
      await membership.#attach();
    } catch (error) {
      await parts.candidacy.end();
      throw error;
    } finally {
      opened();
    }
    return membership.#client;
  }

  send(batch: MemberBatch, answered: number): void {
    this.#link?.send(batch, answered);
  }

  waiting(on: boolean): void {
    this.#isWaiting = on;
    this.#link?.waiting(on);
    this.#updateTimers();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#updateTimers();
    this.#wake?.();
    await this.#seeking;
    try {
      await this.#link?.close();
    } finally {
      await this.#parts.candidacy.end();
    }
  }

  /** Looks for an owner, or becomes it, until one of both has come about; with a limit, as an owner may be overrun. */
  async #attach(): Promise<void> {
    const { driver, database, candidacy, clock, randomness, ownerTimeout } = this.#parts;
    const since = clock.monotonic();
    for (let round = 0; !this.#isClosing; round += 1) {
      const listener = new CurrentLink(this.#client, (cause, mayRepeat) => this.#onLost(cause, mayRepeat));
      const peer = await driver.meet?.(database);
      const joined = peer === undefined ? undefined : await connectToOwner(peer, listener, this.#parts);
      const link = joined ?? (await candidacy.takeOver(listener));
      if (link !== undefined && listener.take()) {
        this.#link = link;
        this.#isMember = joined !== undefined;
        link.waiting(this.#isWaiting);
        this.#updateTimers();
        this.#client.attached();
        return;
      }
      if (clock.monotonic() - since >= ownerTimeout) {
        throw new DatabaseBusyError(database, "a process or thread that lets nobody in; it has too many members");
      }
      await this.#pause(randomness.number() * Math.min(LONGEST_PAUSE_MS, 2 * round + 1), clock);
    }
  }

  #onLost(cause: unknown, mayRepeat: boolean): void {
    this.#link = undefined;
    this.#isMember = false;
    this.#client.lost(cause, mayRepeat);
    this.#updateTimers();
    if (!this.#isClosing) this.#seeking = this.#seek();
  }

  /** Never rejects: a fault that may pass is met with patience, any other one ends the client. */
  async #seek(): Promise<void> {
    const { clock, logger, ownerTimeout, database } = this.#parts;
    const since = clock.monotonic();
    let isLogged = false;
    while (!this.#isClosing) {
      try {
        return await this.#attach();
      } catch (error) {
        const fault = error instanceof StemError ? error : new EngineError("unexpected fault", { cause: error });
        if (!fault.retryable) return this.#client.fail(fault);
        if (!isLogged) logger.log("warn", "The owner of a database is gone; it is looked for.", { database, error });
        isLogged = true;
        if (clock.monotonic() - since >= ownerTimeout) this.#client.unresponsive(fault);
        await this.#pause(FAULT_PAUSE_MS, clock);
      }
    }
  }

  #pause(delayMs: number, clock: Clock): Promise<void> {
    return new Promise((resolve) => {
      const timer = clock.schedule(resolve, delayMs);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  /** Whoever waits keeps the process alive, also while there is no link that could; and is worth a standby. */
  #updateTimers(): void {
    const isWaiting = this.#isWaiting && !this.#isClosing;
    if (isWaiting && this.#link === undefined) this.#stopWaiting ??= keepAlive(this.#parts.clock);
    else {
      this.#stopWaiting?.();
      this.#stopWaiting = undefined;
    }
    if (isWaiting && this.#isMember) this.#preparation ??= this.#prepareSoon();
    if (this.#isClosing) this.#preparation?.cancel();
  }

  #prepareSoon(): Timer {
    return this.#parts.clock.schedule(() => {
      this.#preparation = undefined;
      if (this.#isWaiting && this.#isMember && !this.#isClosing) this.#parts.candidacy.prepare();
    }, PREPARE_AFTER_MS);
  }
}

/** What a link tells, as long as it is the present one. */
class CurrentLink implements LinkListener {
  readonly #client: HubClient;
  readonly #onLost: (cause: unknown, mayRepeat: boolean) => void;
  #state: "new" | "current" | "over" = "new";

  constructor(client: HubClient, onLost: (cause: unknown, mayRepeat: boolean) => void) {
    this.#client = client;
    this.#onLost = onLost;
  }

  /** Makes it the present link; `false` when it has ended already. */
  take(): boolean {
    if (this.#state === "new") this.#state = "current";
    return this.#state === "current";
  }

  receive(batch: OwnerBatch): void {
    this.#client.receive(batch);
  }

  unresponsive(error: StemError): void {
    this.#client.unresponsive(error);
  }

  lost(cause: unknown, mayRepeat: boolean): void {
    const wasCurrent = this.#state === "current";
    this.#state = "over";
    if (wasCurrent) this.#onLost(cause, mayRepeat);
  }
}

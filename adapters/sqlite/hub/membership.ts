import type { Clock, Timer } from "../../../src/contracts/clock.ts";
import type { Randomness } from "../../../src/contracts/identity.ts";
import type { Logger } from "../../../src/contracts/logger.ts";
import type { ContextStay } from "../../../src/contracts/platform.ts";
import type { StorageDriver } from "../../../src/contracts/storage-driver.ts";
import { reviveError } from "../../../src/error-transfer.ts";
import { DatabaseBusyError, EngineError, OwnershipLostError, StemError } from "../../../src/errors.ts";
import { HubClient } from "./hub-client.ts";
import { keepAlive } from "./inline-link.ts";
import type { HeldLink, LinkListener, OwnerLink } from "./owner-link.ts";
import { connectToOwner, type PeerLinkParts } from "./peer-link.ts";
import type { MemberBatch, OwnerBatch } from "./protocol.ts";

/** How this context would own the database. */
export interface Candidacy {
  /** Becomes the owner; `undefined` when somebody else is. */
  takeOver(listener: LinkListener): Promise<HeldLink | undefined>;
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
  /** This context's presence, which ends with the client. */
  readonly stay?: ContextStay;
}

/** Between two looks for an owner, when others are becoming it; random, so that they do not meet again. */
const LONGEST_PAUSE_MS = 50;
/** Between two tries after a fault. */
const FAULT_PAUSE_MS = 500;
/** A context that listens this long makes ready to be the owner; a short-lived producer never does. */
const PREPARE_AFTER_MS = 1_000;

/**
 * Keeps one client attached to the owner of its database, whoever that is: joins the present owner, or becomes it, and
 * again whenever the owner has gone. A living owner is never robbed. While this context is put aside there is no link,
 * and calls wait.
 */
export class Membership implements OwnerLink {
  readonly #parts: MembershipParts;
  readonly #client: HubClient;
  #link: HeldLink | undefined;
  #listener: CurrentLink | undefined;
  #isMember = false;
  #isWaiting = false;
  #stopWaiting: (() => void) | undefined;
  #preparation: Timer | undefined;
  #wake: (() => void) | undefined;
  #seeking: Promise<void> | undefined;
  #isClosing = false;
  /** Set while this context is put aside; resolves when it goes on. */
  #aside: Promise<void> | undefined;
  #goOn: () => void = () => undefined;
  /** What this context lets go of while it is put aside, or because its ownership was lost. */
  #lettingGo: Promise<void> | undefined;

  private constructor(parts: MembershipParts) {
    this.#parts = parts;
    parts.stay?.watch({ suspend: () => this.#suspend(), resume: () => this.#resume() });
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
    this.#goOn();
    await this.#seeking;
    await this.#lettingGo;
    try {
      await this.#link?.close();
    } finally {
      await this.#parts.candidacy.end();
      this.#parts.stay?.leave();
    }
  }

  #suspend(): void {
    if (this.#aside !== undefined || this.#isClosing) return;
    this.#aside = new Promise((resolve) => (this.#goOn = resolve));
    if (this.#link !== undefined) this.#detach(this.#link);
  }

  #resume(): void {
    if (this.#aside === undefined) return;
    this.#aside = undefined;
    this.#goOn();
    if (this.#link === undefined && !this.#isClosing) this.#seekAgain();
  }

  /** Calls wait from now on; answers that still come over the link are heard. */
  #detach(link: HeldLink): void {
    this.#listener?.end();
    this.#link = undefined;
    this.#isMember = false;
    this.#client.lost(undefined, true);
    this.#updateTimers();
    const { logger, database } = this.#parts;
    const last = link.letGo().catch((error: unknown) => {
      logger.log("warn", "A database was not closed cleanly.", { database, error });
    });
    this.#lettingGo = Promise.all([this.#lettingGo, last]).then(() => undefined);
  }

  /** One search at a time, and none before what was let go is free. */
  #seekAgain(): void {
    const before = Promise.all([this.#seeking, this.#lettingGo]);
    this.#seeking = before.then(() => (this.#link === undefined ? this.#seek() : undefined));
  }

  /** Looks for an owner, or becomes it, until one of both has come about; with a limit, as an owner may be overrun. */
  async #attach(): Promise<void> {
    const { driver, database, candidacy, clock, randomness, ownerTimeout } = this.#parts;
    const since = clock.monotonic();
    for (let round = 0; !this.#isClosing; round += 1) {
      await this.#aside;
      const listener = new CurrentLink(this.#client, {
        lost: (cause, mayRepeat) => this.#onLost(cause, mayRepeat),
        ownershipLost: () => this.#onOwnershipLost(),
        broken: () => this.#onBroken(),
      });
      const peer = await driver.meet?.(database);
      const joined = peer === undefined ? undefined : await connectToOwner(peer, listener, this.#parts);
      const link = joined ?? (await candidacy.takeOver(listener));
      const isUseless = link !== undefined && (this.#aside !== undefined || !listener.take());
      if (isUseless) await link.letGo();
      else if (link !== undefined) {
        this.#link = link;
        this.#listener = listener;
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
    if (!this.#isClosing) this.#seekAgain();
  }

  /** There is nothing to look for any more: the client has ended. */
  #onBroken(): void {
    this.#isClosing = true;
    if (this.#link !== undefined) this.#detach(this.#link);
  }

  /** Whoever owns the database next is found, or is this context again. */
  #onOwnershipLost(): void {
    if (this.#link === undefined) return;
    this.#detach(this.#link);
    if (!this.#isClosing) this.#seekAgain();
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

/** Who is told how a link ends. */
interface LinkEnds {
  lost(cause: unknown, mayRepeat: boolean): void;
  /** Its owner, which lives in this context, is none any more. */
  ownershipLost(): void;
  /** The database cannot be used any more. */
  broken(): void;
}

/** What a link tells, as long as it is the present one. */
class CurrentLink implements LinkListener {
  readonly #client: HubClient;
  readonly #ends: LinkEnds;
  #state: "new" | "current" | "over" = "new";

  constructor(client: HubClient, ends: LinkEnds) {
    this.#client = client;
    this.#ends = ends;
  }

  /** It is the present link no more: answers are heard, and its end is not. */
  end(): void {
    this.#state = "over";
  }

  /** Makes it the present link; `false` when it has ended already. */
  take(): boolean {
    if (this.#state === "new") this.#state = "current";
    return this.#state === "current";
  }

  receive(batch: OwnerBatch): void {
    const { broken, ...rest } = batch;
    const error = broken === undefined ? undefined : reviveError(broken);
    const wasCurrent = this.#state === "current";
    this.#client.receive(error instanceof OwnershipLostError ? rest : batch);
    if (error === undefined) return;
    this.#state = "over";
    if (!wasCurrent) return;
    if (error instanceof OwnershipLostError) this.#ends.ownershipLost();
    else this.#ends.broken();
  }

  unresponsive(error: StemError): void {
    this.#client.unresponsive(error);
  }

  lost(cause: unknown, mayRepeat: boolean): void {
    const wasCurrent = this.#state === "current";
    this.#state = "over";
    if (wasCurrent) this.#ends.lost(cause, mayRepeat);
  }
}

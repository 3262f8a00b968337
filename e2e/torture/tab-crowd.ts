import type { Randomness } from "stem-sqlite";
import type { Chromium, Tab } from "../support/chromium.ts";
import { microseconds } from "../../test/support/queue-history/history-log.ts";
import type { LifeRecord, QueueEnd, QueueRecord } from "../../test/support/queue-history/history-record.ts";

/** What each page is told. */
export interface TabSettings {
  readonly database: string;
  readonly storage: "opfs" | "indexeddb";
  readonly leaseMs: number;
  readonly maxDeliveries: number;
  readonly engineTimeout: number;
  readonly publishPauseMs: number;
}

/** Ways to disturb a tab. */
export const EVENTS = ["close", "crash", "reload", "navigate", "hang", "freeze"] as const;
export type TabEvent = (typeof EVENTS)[number];

/** One event as it was. */
export interface Disturbance {
  readonly event: TabEvent;
  /** The life it struck. */
  readonly life: string;
  readonly at: number;
  /** It was looked for as the owner; any other one may have been it as well. */
  readonly wasKnownOwner: boolean;
}

interface Told {
  readonly life: string;
  readonly n: number;
  readonly record?: object;
  readonly outcome?: "ok" | "fail" | "info";
  readonly code?: string;
  readonly complaint?: string;
}

interface Member {
  readonly tab: Tab;
  life: string;
  /** Something happens to it already. */
  isStruck: boolean;
}

/** A page that does not answer that long is of no use any more. */
const PATIENCE_MS = 20_000;
/** Who does not say by then that it is the owner is not; while the owner changes nobody does. */
const OWNER_LOOK_MS = 250;

/** Tabs that work on one database while things happen to them; what they tell becomes one history. */
export class TabCrowd {
  readonly disturbances: Disturbance[] = [];
  readonly complaints: Map<string, number> = new Map<string, number>();
  readonly #browser: Chromium;
  readonly #url: string;
  readonly #settings: TabSettings;
  readonly #seed: number;
  readonly #calls = new Map<string, QueueRecord>();
  readonly #lives: LifeRecord[] = [];
  #members: Member[] = [];
  #opening = 0;
  #started = 0;

  constructor(browser: Chromium, url: string, settings: TabSettings, seed: number) {
    this.#browser = browser;
    this.#url = url;
    this.#settings = settings;
    this.#seed = seed;
  }

  /** With those that are being opened. */
  get size(): number {
    return this.#members.length + this.#opening;
  }

  /** Has the pages of a browser tell this crowd what they do. */
  async listen(): Promise<void> {
    await this.#browser.expose("tell", (told) => this.#hear(told as Told));
  }

  async add(): Promise<void> {
    this.#opening += 1;
    try {
      const member: Member = { tab: await this.#browser.open(this.#url), life: "", isStruck: false };
      await this.#begin(member);
      this.#members.push(member);
    } finally {
      this.#opening -= 1;
    }
  }

  /** Does something to a tab to which nothing happens yet, if there is one; the owner is the most rewarding one. */
  async disturb(event: TabEvent, random: Pick<Randomness, "number">): Promise<void> {
    const owner = random.number() < 0.6 ? await this.#owner() : undefined;
    const free = this.#members.filter(({ isStruck }) => !isStruck);
    const isOwner = owner !== undefined && free.includes(owner);
    const target = isOwner ? owner : free[Math.floor(random.number() * free.length)];
    if (target === undefined) return;
    target.isStruck = true;
    this.disturbances.push({ event, life: target.life, at: microseconds(), wasKnownOwner: isOwner });
    try {
      await this.#strike(event, target, random);
    } catch (error) {
      if (!isOfBrowser(error)) throw error;
      // Its page went away under what was asked of it: one more tab that has ended.
      await this.#close(target).catch(() => undefined);
    }
    target.isStruck = false;
  }

  /** Ends all tabs, and has a new one take what is left. */
  async drain(): Promise<QueueEnd> {
    for (const member of this.#members.splice(0)) await this.#close(member);
    const tab = await this.#browser.open(this.#url);
    const end = await tab.call<QueueEnd>("drain", { ...this.#settings });
    await tab.close();
    return end;
  }

  history(): readonly QueueRecord[] {
    return [...this.#calls.values(), ...this.#lives];
  }

  async #strike(event: TabEvent, member: Member, random: Pick<Randomness, "number">): Promise<void> {
    const { tab } = member;
    switch (event) {
      case "close":
        return this.#close(member);
      case "crash":
        this.#live("end", member.life, microseconds());
        await tab.send("Page.crash");
        await tab.close();
        this.#members = this.#members.filter((other) => other !== member);
        return undefined;
      case "reload":
        this.#live("end", member.life, microseconds());
        await tab.reload();
        return this.#begin(member);
      case "navigate":
        return this.#leaveAndReturn(member, random);
      case "hang":
        return tab.call<undefined>("hang");
      case "freeze": {
        const since = microseconds();
        await tab.setFrozen(true);
        await sleep(random.number() * 1_500);
        await tab.setFrozen(false);
        return this.#live("pause", member.life, since);
      }
    }
  }

  async #leaveAndReturn(member: Member, random: Pick<Randomness, "number">): Promise<void> {
    const { tab, life } = member;
    const since = microseconds();
    await tab.leave(this.#url.replace("torture.html", "empty.html"));
    await sleep(random.number() * 800);
    await tab.goBack();
    if ((await tab.call("life")) === life) {
      this.#live("pause", life, since);
      // What was on its way to it when it was put aside, nobody saw.
      this.#live("end", `${life} at ${since}`, since);
      return undefined;
    }
    this.#live("end", life, since);
    return this.#begin(member);
  }

  async #close(member: Member): Promise<void> {
    this.#live("end", member.life, microseconds());
    this.#members = this.#members.filter((other) => other !== member);
    await member.tab.close();
  }

  async #begin(member: Member): Promise<void> {
    const number = ++this.#started;
    member.life = `tab${number}`;
    const work = member.tab.call("work", { ...this.#settings, life: member.life }, this.#seed * 7_919 + number);
    await Promise.race([work, sleep(PATIENCE_MS)]);
  }

  async #owner(): Promise<Member | undefined> {
    const free = this.#members.filter(({ isStruck }) => !isStruck);
    const are = await Promise.all(free.map(async (member) => this.#isOwner(member)));
    return free.find((_, index) => are[index]);
  }

  async #isOwner({ tab }: Member): Promise<boolean> {
    return Promise.race([tab.call<boolean>("isOwner").catch(() => false), sleep(OWNER_LOOK_MS).then(() => false)]);
  }

  #hear({ life, n, record, outcome, code, complaint }: Told): void {
    if (complaint !== undefined) return void this.complaints.set(complaint, (this.complaints.get(complaint) ?? 0) + 1);
    const id = `${life} ${n}`;
    const at = microseconds();
    const asked =
      record === undefined ? this.#calls.get(id) : { ...record, process: life, invoked: at, outcome: "info" };
    if (asked === undefined) return;
    const answer = outcome === undefined ? {} : { outcome, completed: at, ...(code === undefined ? {} : { code }) };
    this.#calls.set(id, { ...asked, ...answer } as QueueRecord);
  }

  #live(op: LifeRecord["op"], process: string, since: number): void {
    this.#lives.push({ op, process, invoked: since, completed: microseconds(), outcome: "ok" });
  }
}

/** What Playwright says of a page that is no longer there; what our code threw in a page has its own name. */
function isOfBrowser(error: unknown): boolean {
  return /Target (?:page|crashed|closed)|Page crashed|has been closed|context was destroyed|net::ERR_|frame was detached/.test(
    String(error),
  );
}

export function sleep(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}

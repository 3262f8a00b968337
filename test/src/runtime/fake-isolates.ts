import type { IsolateExit, IsolateHost, IsolateLimits, IsolatePort } from "../../../src/contracts/isolate-host.ts";
import type { ToIsolate } from "../../../src/runtime/isolate-protocol.ts";
import { serveIsolate } from "../../../src/runtime/isolate-thread.ts";

/** What modules export, by their URL. */
export type FakeModules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A thread that is none: its code runs in the test's own, behind the same copied messages. */
export class FakeThread implements IsolatePort {
  readonly limits: IsolateLimits;
  /** Whether it keeps the process alive. */
  isKept = false;
  isAlive = true;
  /** Drops news of stops, as a thread does that is busy in a loop. */
  isDeaf = false;
  /** Does not end when it is told to, as a thread that waits inside a system call. */
  isStuck = false;
  readonly #receive: (message: ToIsolate) => void;
  readonly #exitListeners: ((exit: IsolateExit) => void)[] = [];
  #onMessage: (message: unknown) => void = () => undefined;

  constructor(limits: IsolateLimits, modules: FakeModules) {
    this.limits = limits;
    this.#receive = serveIsolate({
      post: (message) => this.say(message),
      load: async (url) => {
        const found = modules[url];
        if (found === undefined) throw new Error(`there is no module ${url}`);
        return found;
      },
    });
  }

  postMessage(message: unknown): void {
    const copy = structuredClone(message) as ToIsolate;
    if (this.isDeaf && copy.type === "stop") return;
    queueMicrotask(() => {
      if (this.isAlive) this.#receive(copy);
    });
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#onMessage = listener;
  }

  onExit(listener: (exit: IsolateExit) => void): void {
    this.#exitListeners.push(listener);
  }

  keepAlive(on: boolean): void {
    this.isKept = on;
  }

  async terminate(): Promise<void> {
    if (this.isStuck) {
      this.isAlive = false;
      await new Promise(() => undefined);
    }
    this.exit({ code: 1 });
  }

  /** Sends whatever to the worker. */
  say(message: unknown): void {
    const copy: unknown = structuredClone(message);
    queueMicrotask(() => {
      if (this.isAlive) this.#onMessage(copy);
    });
  }

  /** Ends as a real thread does. */
  exit(exit: Partial<IsolateExit>): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    for (const listener of this.#exitListeners) listener({ code: 0, isOutOfMemory: false, ...exit });
  }
}

/** Starts {@link FakeThread}s. */
export class FakeIsolates implements IsolateHost {
  readonly threads: FakeThread[] = [];
  /** Thrown by the next `spawn`. */
  failure: Error | undefined;
  readonly #modules: FakeModules;

  constructor(modules: FakeModules) {
    this.#modules = modules;
  }

  spawn(limits: IsolateLimits): FakeThread {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    const thread = new FakeThread(limits, this.#modules);
    this.threads.push(thread);
    return thread;
  }

  /** Which threads live, in the order of their start. */
  get living(): readonly boolean[] {
    return this.threads.map(({ isAlive }) => isAlive);
  }
}

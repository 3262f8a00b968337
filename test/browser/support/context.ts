/** What a {@link Context} can be asked to do. */
export interface ContextCalls {
  acquire(database: string): Promise<"owner" | "member">;
  release(): Promise<void>;
  /** Sends each member back what it says. */
  echo(): Promise<void>;
  /** Accepts members and keeps what they say. */
  collect(): Promise<void>;
  collected(member: number): Promise<{ members: number; messages: readonly unknown[]; isClosed: boolean }>;
  memberClosed(member: number): Promise<void>;
  /** Writes and flushes the database's file. */
  write(text: string): Promise<void>;
  read(): Promise<string>;
  verify(): Promise<void>;
  /** Becomes a member; `false` when there is no owner. */
  connect(database: string): Promise<boolean>;
  say(message: unknown): Promise<void>;
  heard(count: number): Promise<readonly unknown[]>;
  /** Resolves with the cause once the connection to the owner has ended. */
  closed(): Promise<string>;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A dedicated worker that works with the storage drivers, as another tab's would. */
export class Context {
  readonly #worker = new Worker(new URL("./context-program-worker.ts", import.meta.url), { type: "module" });
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;
  /** Each call runs in the worker; a fault rejects with an error that has the name of the worker's error. */
  readonly do: ContextCalls;

  constructor() {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.#waiting.get(data.id)?.(data));
    this.do = new Proxy({} as ContextCalls, {
      get:
        (_, call) =>
        (...values: unknown[]) =>
          this.#call(String(call), values),
    });
  }

  /** Ends the worker at once, whatever it is doing. */
  kill(): void {
    this.#worker.terminate();
  }

  async #call(call: string, values: unknown[]): Promise<unknown> {
    const id = ++this.#last;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#worker.postMessage({ id, call, values });
    });
    this.#waiting.delete(id);
    if (answer.error !== undefined) throw Object.assign(new Error(answer.error), { name: answer.error });
    return answer.value;
  }
}

/** When a simulated process ends: at its call of this number, from 1, before that has an effect or before its answer. */
export interface Death {
  readonly at: number;
  readonly moment: "before" | "after";
}

/** A call that a store carried out, whether or not somebody got the answer. */
export interface AppliedCall {
  readonly method: string;
  readonly args: readonly unknown[];
}

type Calls = Readonly<Record<string, unknown>>;
type Method = (...given: unknown[]) => unknown;

/** Methods that answer at once: they only look something up in this process. */
const AT_ONCE: ReadonlySet<string> = new Set(["dispatchTo"]);
const originals = new WeakMap<object, object>();

/**
 * One simulated process. What it does with stores goes through wrappers, until its call of a certain number: from then on
 * nothing of it gets through, and nothing is answered. The stores themselves live on.
 */
export class Life {
  #death: Death | undefined;
  readonly #onApplied: (call: AppliedCall) => void;
  readonly #iterators = new Set<AsyncIterator<unknown>>();
  #calls = 0;
  #isOver = false;

  constructor(death: Death | undefined, onApplied: (call: AppliedCall) => void) {
    this.#death = death;
    this.#onApplied = onApplied;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get calls(): number {
    return this.#calls;
  }

  /** It ends no more. */
  spare(): void {
    this.#death = undefined;
  }

  /** The store as this process sees it. */
  wrap<Store extends object>(store: Store): Store {
    const wrapped = new Proxy(store, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function" || typeof key !== "string" || key === "constructor") return value;
        return (...given: unknown[]) => this.#call(target as Calls, key, given);
      },
    });
    originals.set(wrapped, store);
    return wrapped;
  }

  #call(target: Calls, method: string, given: readonly unknown[]): unknown {
    const call = (target[method] as Method).bind(target);
    const args = given.map((each) =>
      typeof each === "object" && each !== null ? (originals.get(each) ?? each) : each,
    );
    if (method === "consume" || method === "watch")
      return this.#iterate(call(...args) as AsyncIterableIterator<unknown>);
    if (method === "settlerFor") {
      const settler = call(...args) as object | undefined;
      return settler === undefined ? undefined : this.wrap(settler);
    }
    return AT_ONCE.has(method) ? call(...args) : this.#answer(method, args, () => call(...args));
  }

  async #answer(method: string, args: readonly unknown[], call: () => unknown): Promise<unknown> {
    if (this.#isOver) return unanswered();
    this.#calls += 1;
    const isLast = this.#death?.at === this.#calls;
    if (isLast) this.#isOver = true;
    if (isLast && this.#death?.moment === "before") return this.#end();
    try {
      const value = await call();
      this.#onApplied({ method, args });
      if (isLast) return this.#end();
      return this.#isOver ? unanswered() : value;
    } catch (error) {
      if (isLast) return this.#end();
      if (this.#isOver) return unanswered();
      throw error;
    }
  }

  /** What it consumed stays leased; what was not handed to it yet goes to others. */
  async #end(): Promise<never> {
    for (const iterator of this.#iterators) await iterator.return?.();
    return unanswered();
  }

  #iterate(iterator: AsyncIterableIterator<unknown>): unknown {
    this.#iterators.add(iterator);
    const call = iterator as unknown as Calls;
    const wrapped: unknown = new Proxy(iterator, {
      get: (target, key) => {
        if (key === Symbol.asyncIterator) return () => wrapped;
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return async (...given: unknown[]) => {
          if (this.#isOver) return unanswered();
          const answer = await (call[key as string] as Method).apply(target, given);
          return this.#isOver ? unanswered() : answer;
        };
      },
    });
    return wrapped;
  }
}

function unanswered(): Promise<never> {
  return new Promise(() => undefined);
}

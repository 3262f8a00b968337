import { WasmEngine } from "../../adapters/sqlite/database/wasm-engine.ts";

/** Larger than any free block between allocated ones: such an allocation begins where untouched memory begins. */
const PROBE_BYTES = 2 ** 22;
/** What the allocator may have written behind the beginning of such an allocation. */
const ALLOCATOR_BYTES = 64;
/** After so many uses the function table is too long, and a new instance is made. */
const MOST_USES = 500;

/**
 * Gives one instance of the engine to one database after the other while `work` runs, its memory put back to what it
 * was when it was new: making an instance takes longer than all the work on a small database, and to the database it
 * is the same. A database must be done with before the next one is opened.
 */
export async function withOneEngine<T>(work: (pool: EnginePool) => Promise<T>): Promise<T> {
  if (current !== undefined) return work(current);
  const load = WasmEngine.load.bind(WasmEngine);
  const pool = new EnginePool(load);
  current = pool;
  WasmEngine.load = (host) => pool.next(host);
  try {
    return await work(pool);
  } finally {
    WasmEngine.load = load;
    current = undefined;
  }
}

let current: EnginePool | undefined;

/** See {@link withOneEngine}. */
export class EnginePool {
  readonly #load: typeof WasmEngine.load;
  #engine: WasmEngine | undefined;
  #pristine: Uint8Array = new Uint8Array(0);
  #tableLength = 0;
  #uses = 0;

  constructor(load: typeof WasmEngine.load) {
    this.#load = load;
  }

  /** Makes the next instance a new one: after a trap an instance is in no defined state. */
  discard(): void {
    this.#engine = undefined;
  }

  /** An instance that is as new. */
  async next(host: Parameters<typeof WasmEngine.load>[0]): Promise<WasmEngine> {
    const used = this.#engine;
    this.#uses += 1;
    if (used !== undefined && this.#uses < MOST_USES && this.#restore(used)) return used;
    const engine = await this.#load(host);
    this.#engine = engine;
    this.#pristine = engine.bytes.slice();
    this.#tableLength = engine.exports.__indirect_function_table.length;
    this.#uses = 0;
    return engine;
  }

  /** Whether the engine could be made as new. */
  #restore(engine: WasmEngine): boolean {
    if (engine.memoryBytes !== this.#pristine.length) return false;
    const probe = engine.exports.sqlite3_malloc(PROBE_BYTES);
    if (probe === 0 || engine.memoryBytes !== this.#pristine.length) return false;
    engine.bytes.set(this.#pristine.subarray(0, probe + ALLOCATOR_BYTES));
    const table = engine.exports.__indirect_function_table;
    for (let index = this.#tableLength; index < table.length; index++) table.set(index, null);
    this.#tableLength = table.length;
    return true;
  }
}

import { WasmEngine } from "../../adapters/sqlite/database/wasm-engine.ts";

/** Larger than any free block between allocated ones: such an allocation begins where untouched memory begins. */
const PROBE_BYTES = 2 ** 22;
/** After so many uses the function table is too long, and a new instance is made. */
const MOST_USES = 500;

/**
 * Gives one instance of the engine to one database after the other, its memory put back to what it was when it was
 * new. Making an instance takes longer than all the work on a small database; to the database it is the same.
 */
export class EnginePool {
  readonly #load: typeof WasmEngine.load = WasmEngine.load.bind(WasmEngine);
  #engine: WasmEngine | undefined;
  #pristine: Uint8Array = new Uint8Array(0);
  #tableLength = 0;
  #uses = 0;

  /** Takes the place of `WasmEngine.load`; a database must be done with before the next one is opened. */
  install(): void {
    WasmEngine.load = (host) => this.#next(host);
  }

  uninstall(): void {
    WasmEngine.load = this.#load;
    this.#engine = undefined;
  }

  /** Makes the next instance a new one: after a trap an instance is in no defined state. */
  discard(): void {
    this.#engine = undefined;
  }

  async #next(host: Parameters<typeof WasmEngine.load>[0]): Promise<WasmEngine> {
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

  /** Whether the engine is as new. */
  #restore(engine: WasmEngine): boolean {
    if (engine.memoryBytes !== this.#pristine.length) return false;
    const probe = engine.exports.sqlite3_malloc(PROBE_BYTES);
    if (probe === 0 || engine.memoryBytes !== this.#pristine.length) return false;
    engine.bytes.set(this.#pristine.subarray(0, probe + 64));
    const table = engine.exports.__indirect_function_table;
    for (let index = this.#tableLength; index < table.length; index++) table.set(index, null);
    this.#tableLength = table.length;
    return true;
  }
}

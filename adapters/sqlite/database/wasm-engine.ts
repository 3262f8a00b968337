import { EngineError } from "../../../src/errors.ts";
import type { EngineHost, TextCodec } from "../../../src/contracts/platform.ts";

/** The exports of the engine that this library calls; all pointers are byte offsets into its memory. */
export interface SqliteExports {
  readonly __indirect_function_table: WebAssembly.Table;
  __wasm_call_ctors(): void;
  sqlite3_initialize(): number;
  sqlite3_vfs_register(vfs: number, makeDefault: number): number;
  sqlite3_malloc(bytes: number): number;
  sqlite3_free(pointer: number): void;
  sqlite3_open_v2(name: number, database: number, flags: number, vfs: number): number;
  sqlite3_close_v2(database: number): number;
  sqlite3_extended_result_codes(database: number, on: number): number;
  sqlite3_errmsg(database: number): number;
  sqlite3_get_autocommit(database: number): number;
  sqlite3_changes(database: number): number;
  sqlite3_total_changes(database: number): number;
  sqlite3_set_authorizer(database: number, callback: number, context: number): number;
  sqlite3_progress_handler(database: number, steps: number, callback: number, context: number): void;
  sqlite3_limit(database: number, id: number, value: number): number;
  sqlite3__wasm_db_config_ip(database: number, option: number, value: number, out: number): number;
  sqlite3_prepare_v3(database: number, sql: number, bytes: number, flags: number, out: number, tail: number): number;
  sqlite3_stmt_readonly(statement: number): number;
  sqlite3_finalize(statement: number): number;
  sqlite3_step(statement: number): number;
  sqlite3_reset(statement: number): number;
  sqlite3_column_count(statement: number): number;
  sqlite3_column_name(statement: number, column: number): number;
  sqlite3_column_type(statement: number, column: number): number;
  sqlite3_column_int64(statement: number, column: number): bigint;
  sqlite3_column_double(statement: number, column: number): number;
  sqlite3_column_text(statement: number, column: number): number;
  sqlite3_column_blob(statement: number, column: number): number;
  sqlite3_column_bytes(statement: number, column: number): number;
  sqlite3_bind_parameter_count(statement: number): number;
  sqlite3_bind_parameter_name(statement: number, index: number): number;
  sqlite3_bind_null(statement: number, index: number): number;
  sqlite3_bind_int(statement: number, index: number, value: number): number;
  sqlite3_bind_int64(statement: number, index: number, value: bigint): number;
  sqlite3_bind_double(statement: number, index: number, value: number): number;
  sqlite3_bind_text(statement: number, index: number, text: number, bytes: number, destructor: number): number;
  sqlite3_bind_blob(statement: number, index: number, blob: number, bytes: number, destructor: number): number;
}

const PAGE_BYTES = 65_536;
/** The engine was linked with 8 MiB of memory to start with and a limit of 2 GiB. */
const INITIAL_PAGES = 128;
const MAXIMUM_PAGES = 32_768;
const MOST_BYTES = MAXIMUM_PAGES * PAGE_BYTES;
/** `ENOSYS` of WASI: every file call of the engine's own C library is refused; files go through our VFS. */
const NOT_SUPPORTED = 52;

/** How far the memory may grow for the time being. */
interface MemoryCeiling {
  bytes: number;
  onReached: () => void;
}

interface EngineMemory {
  readonly memory: WebAssembly.Memory;
  readonly ceiling: MemoryCeiling;
}

/**
 * One instance of the SQLite engine with its own memory. Holds one database: a fault in one cannot reach another.
 */
export class WasmEngine {
  readonly exports: SqliteExports;
  readonly text: TextCodec;
  readonly #memory: WebAssembly.Memory;
  readonly #ceiling: MemoryCeiling;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;

  private constructor(exports: SqliteExports, { memory, ceiling }: EngineMemory, text: TextCodec) {
    this.exports = exports;
    this.text = text;
    this.#memory = memory;
    this.#ceiling = ceiling;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
  }

  /** Makes an instance from the host's compiled module. */
  static async load(host: Pick<EngineHost, "loadEngine" | "text">): Promise<WasmEngine> {
    const module = await host.loadEngine();
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
    const ceiling: MemoryCeiling = { bytes: MOST_BYTES, onReached: () => undefined };
    const instance = await WebAssembly.instantiate(module, createImports(module, { memory, ceiling }));
    const exports = instance.exports as unknown as SqliteExports;
    exports.__wasm_call_ctors();
    return new WasmEngine(exports, { memory, ceiling }, host.text);
  }

  /** The engine's memory. Never keep it: a call into the engine may move it. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#bytes = new Uint8Array(this.#memory.buffer);
    return this.#bytes;
  }

  get view(): DataView {
    if (this.#view.buffer !== this.#memory.buffer) this.#view = new DataView(this.#memory.buffer);
    return this.#view;
  }

  /** Size of the engine's memory in bytes; it grows and never shrinks. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * Runs `work` while the memory grows to at most `bytes`: SQLite is refused more, and reports that memory ran out. Calls
   * `onReached` each time.
   */
  belowCeiling<T>(bytes: number, onReached: () => void, work: () => T): T {
    const ceiling = this.#ceiling;
    const before = { ...ceiling };
    Object.assign(ceiling, { bytes: Math.min(bytes, MOST_BYTES), onReached });
    try {
      return work();
    } finally {
      Object.assign(ceiling, before);
    }
  }

  allocate(bytes: number): number {
    const pointer = this.exports.sqlite3_malloc(Math.max(1, bytes));
    if (pointer === 0) throw new EngineError(`no memory for ${bytes} bytes`, { retryable: true });
    return pointer;
  }

  /** Copies `text`, with a closing NUL, into newly allocated memory; the caller frees it. */
  allocateText(text: string): number {
    const pointer = this.allocate(text.length * 3 + 1);
    const bytes = this.bytes;
    bytes[pointer + this.text.write(text, bytes, pointer)] = 0;
    return pointer;
  }

  /** The text that ends with a NUL at `pointer`; empty for a null pointer. */
  readText(pointer: number): string {
    if (pointer === 0) return "";
    const bytes = this.bytes;
    return this.text.read(bytes, pointer, bytes.indexOf(0, pointer) - pointer);
  }
}

function createImports(module: WebAssembly.Module, { memory, ceiling }: EngineMemory): WebAssembly.Imports {
  const refused = (): number => -NOT_SUPPORTED;
  const refusedByWasi = (): number => NOT_SUPPORTED;
  const known: Readonly<Record<string, WebAssembly.ImportValue>> = {
    memory,
    emscripten_date_now: () => 0,
    emscripten_get_now: () => 0,
    emscripten_get_heap_max: () => MOST_BYTES,
    emscripten_resize_heap: (bytes: number) => growTo(memory, bytes >>> 0, ceiling),
    environ_sizes_get: (count: number, size: number) => {
      const view = new DataView(memory.buffer);
      view.setUint32(count, 0, true);
      view.setUint32(size, 0, true);
      return 0;
    },
    environ_get: () => 0,
    _tzset_js: () => undefined,
  };
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: space, name } of WebAssembly.Module.imports(module)) {
    const fallback = space === "env" ? refused : refusedByWasi;
    (imports[space] ??= {})[name] = known[name] ?? fallback;
  }
  return imports;
}

/** Grows by at least a fifth, so that many small steps do not copy the memory again and again. */
function growTo(memory: WebAssembly.Memory, bytes: number, ceiling: MemoryCeiling): number {
  const present = memory.buffer.byteLength;
  const limit = ceiling.bytes;
  if (bytes > limit) {
    ceiling.onReached();
    return 0;
  }
  for (const wanted of [Math.min(limit, Math.max(bytes, present * 1.2)), bytes]) {
    try {
      memory.grow(Math.ceil((wanted - present) / PAGE_BYTES));
      return 1;
    } catch {
      // Refused by the host: try the smaller size, then let SQLite report that memory ran out.
    }
  }
  return 0;
}

import { addToTable } from "./wasm-callbacks.ts";
import type { WasmEngine } from "./wasm-engine.ts";

/** What a query may cost the owner, which serves nobody else meanwhile. */
export interface ReadLimits {
  /** Steps of SQLite's virtual machine. */
  readonly maxSteps: number;
  readonly maxMilliseconds: number;
  /** By how much the engine's memory may grow for all queries together: it never shrinks, and the next one uses it again. */
  readonly maxMemoryBytes: number;
  /** Of one text or blob, also of one that is only made on the way. */
  readonly maxValueBytes: number;
}

/** Which limit a query reached. */
export interface ReachedLimit {
  readonly what: string;
  readonly limit: number;
}

const OK = 0;
const DENY = 1;
/** What SQLite asks its authorizer about. */
const ACTION = { PRAGMA: 19, READ: 20, SELECT: 21, FUNCTION: 31, RECURSIVE: 33 } as const;
/** Pragmas that only tell something, whatever they are given. */
const ASKING_PRAGMAS: ReadonlySet<string> = new Set([
  "table_info",
  "table_xinfo",
  "table_list",
  "index_list",
  "index_info",
  "index_xinfo",
  "foreign_key_list",
]);
/** Pragmas that tell something as long as they are given nothing. */
const TELLING_PRAGMAS: ReadonlySet<string> = new Set([
  "application_id",
  "compile_options",
  "encoding",
  "freelist_count",
  "page_count",
  "page_size",
  "schema_version",
  "user_version",
]);
const LIMIT_LENGTH = 0;
const LIMIT_LIKE_PATTERN = 8;
/** One comparison takes as many steps as both texts have letters, multiplied, and nothing can interrupt it. */
const LONGEST_PATTERN = 1_000;
const STEPS_PER_LOOK = 10_000;

/**
 * Keeps statements that this library did not write from doing anything but reading, and from going on for ever. It
 * concerns only what runs in {@link ReadGuard.during}.
 */
export class ReadGuard {
  readonly #engine: WasmEngine;
  readonly #database: number;
  readonly #monotonic: () => number;
  readonly #onProgress: number;
  #isActive = false;
  #denied: string | undefined;
  #reached: ReachedLimit | undefined;
  #limits: ReadLimits | undefined;
  #looks = 0;
  #startedAt = 0;
  /** By how much the memory has grown for queries so far, and how large it may become. */
  #grown = 0;
  #memoryLimit = 0;

  /** `database` is the connection, `monotonic` a clock in milliseconds that never jumps. */
  constructor(engine: WasmEngine, database: number, monotonic: () => number) {
    this.#engine = engine;
    this.#database = database;
    this.#monotonic = monotonic;
    const [authorizer = 0, progress = 0] = addToTable(engine.exports.__indirect_function_table, [
      {
        signature: "iiiiiii",
        call: (_context: number, action: number, first: number, second: number) =>
          this.#authorize(action, first, second),
      },
      { signature: "ii", call: () => this.#look() },
    ]);
    this.#onProgress = progress;
    // Set once and kept: setting it has every statement prepared again.
    engine.exports.sqlite3_set_authorizer(database, authorizer, 0);
  }

  /** What the statement wanted to do and must not. */
  get denied(): string | undefined {
    return this.#denied;
  }

  get reached(): ReachedLimit | undefined {
    return this.#reached;
  }

  during<T>(limits: ReadLimits, work: () => T): T {
    const { exports, memoryBytes } = this.#engine;
    this.#denied = undefined;
    this.#reached = undefined;
    this.#limits = limits;
    this.#looks = 0;
    this.#startedAt = this.#monotonic();
    const most = memoryBytes - this.#grown + limits.maxMemoryBytes;
    this.#memoryLimit = Math.max(most, memoryBytes);
    const valueBytes = exports.sqlite3_limit(this.#database, LIMIT_LENGTH, limits.maxValueBytes);
    const patternBytes = exports.sqlite3_limit(this.#database, LIMIT_LIKE_PATTERN, LONGEST_PATTERN);
    exports.sqlite3_progress_handler(this.#database, STEPS_PER_LOOK, this.#onProgress, 0);
    this.#isActive = true;
    try {
      // Between two looks: room for one more value, so that a look, which leaves the transaction as it is, comes first.
      const ceiling = most + limits.maxValueBytes;
      return this.#engine.belowCeiling(ceiling, () => this.#reachedMemory(limits), work);
    } finally {
      this.#isActive = false;
      this.#grown += this.#engine.memoryBytes - memoryBytes;
      exports.sqlite3_progress_handler(this.#database, 0, 0, 0);
      exports.sqlite3_limit(this.#database, LIMIT_LENGTH, valueBytes);
      exports.sqlite3_limit(this.#database, LIMIT_LIKE_PATTERN, patternBytes);
    }
  }

  #reachedMemory({ maxMemoryBytes }: ReadLimits): void {
    this.#reached = { what: "bytes of memory", limit: maxMemoryBytes };
  }

  #authorize(action: number, first: number, second: number): number {
    if (!this.#isActive) return OK;
    switch (action) {
      case ACTION.SELECT:
      case ACTION.READ:
      case ACTION.RECURSIVE:
      case ACTION.FUNCTION:
        return OK;
      case ACTION.PRAGMA: {
        const name = this.#engine.readText(first).toLowerCase();
        if (ASKING_PRAGMAS.has(name) || (second === 0 && TELLING_PRAGMAS.has(name))) return OK;
        this.#denied ??= `it uses pragma ${name}`;
        return DENY;
      }
      default:
        this.#denied ??= "it does more than read";
        return DENY;
    }
  }

  /** Anything but 0 stops the statement. */
  #look(): number {
    this.#looks += 1;
    const limits = this.#limits;
    if (limits === undefined) return 0;
    if (this.#looks * STEPS_PER_LOOK > limits.maxSteps) {
      this.#reached = { what: "steps of SQLite's machine", limit: limits.maxSteps };
    } else if (this.#monotonic() - this.#startedAt > limits.maxMilliseconds) {
      this.#reached = { what: "milliseconds", limit: limits.maxMilliseconds };
    } else if (this.#engine.memoryBytes > this.#memoryLimit) this.#reachedMemory(limits);
    return this.#reached === undefined ? 0 : 1;
  }
}

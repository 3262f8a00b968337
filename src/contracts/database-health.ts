/** What a browser says of the origin's storage: all databases and everything else that the site keeps. */
export interface OriginStorage {
  /** Bytes in use, as the browser estimates them; absent where it does not tell. */
  readonly usage?: number;
  /** Bytes there may be, as the browser estimates them; absent where it does not tell. */
  readonly quota?: number;
  /** Whether the browser asks the user before it deletes anything; absent where it does not tell. */
  readonly persisted?: boolean;
}

/** The context that holds a database open. */
export interface OwnerHealth {
  /** New for each owner: another id means that the owner has changed. */
  readonly id: string;
  /** What other contexts call it, such as `process 4711` or `another tab`. */
  readonly description: string;
  /** When it became the owner, by its own clock. */
  readonly since: Date;
  /** Contexts that have the database open, its own included. */
  readonly members: number;
}

/** One database at one instant: where it is, who owns it, what it takes. */
export interface DatabaseHealth {
  /** Its canonical name: a path on Node. */
  readonly database: string;
  /** Where the bytes really are, such as `node`, `opfs`, `indexeddb` or `memory`. */
  readonly storage: { readonly name: string; readonly persistent: boolean };
  readonly durability: "full" | "relaxed";
  /** What an acknowledged operation survives at least, as far as the platform keeps what it promises of a flush. */
  readonly survives: "power-cut" | "process-crash" | "nothing";
  /** `place`: whether the owner runs it in a thread of its own (in a browser, a worker). */
  readonly engine: { readonly name: string; readonly version: string; readonly place: "thread" | "inline" };
  /** What the context that asked was to the database when it was answered. */
  readonly role: "owner" | "member";
  readonly owner: OwnerHealth;
  /** Size of the database's file. */
  readonly bytes: number;
  /** Size of the log beside it. */
  readonly logBytes: number;
  /** Memory of the engine; it grows and never shrinks while the database is open. */
  readonly memoryBytes: number;
  /** In browsers only. */
  readonly origin?: OriginStorage;
}

/** One database as all contexts of an origin know it. */
export interface WebPlace {
  /** The name of the storage driver. */
  readonly driver: string;
  /** The canonical name of the database. */
  readonly database: string;
}

const ID = /^[0-9a-f]{32}$/;

/** The lock whose holder owns the database; also the channel on which members knock. */
export function fenceName({ driver, database }: WebPlace): string {
  return `stem-sqlite ${JSON.stringify([driver, database])}`;
}

/** The start of the names of {@link ownerLockName}; an owner's id follows. */
export function ownerLockPrefix(place: WebPlace): string {
  return `${fenceName(place)} owner `;
}

/** The lock that one owner holds as long as it can be reached. */
export function ownerLockName(place: WebPlace, owner: string): string {
  return `${ownerLockPrefix(place)}${owner}`;
}

/** The lock that a member holds as long as its end of a connection lives. */
export function memberLockName(place: WebPlace, connection: string): string {
  return `${fenceName(place)} member ${connection}`;
}

/** The channel of one connection. */
export function lineName(place: WebPlace, connection: string): string {
  return `${fenceName(place)} line ${connection}`;
}

/** A new random id of an owner, a connection or a file: 128 bits, as 32 hexadecimal digits. */
export function newWebId(): string {
  // oxlint-disable-next-line eslint/no-restricted-properties -- it is in no message and no database, and has to differ in each context
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether `value` could have come from {@link newWebId}. */
export function isWebId(value: unknown): value is string {
  return typeof value === "string" && ID.test(value);
}

/** Values of every kind that no option which is a number, a name or a choice accepts. */
export const STRANGERS: readonly unknown[] = [
  null,
  "",
  " ",
  "5",
  "NaN",
  "x\0y",
  true,
  false,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  -1e9,
  1n,
  Symbol("s"),
  () => 5,
  {},
  [],
  [5],
  new Date(0),
  new Map(),
  Object(5),
  Object.create(null),
  { valueOf: () => 5 },
  new Proxy({}, {}),
  "x".repeat(100_000),
];

/** How a value is called in a test's title. */
export function titleOf(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 12));
  if (typeof value === "object" && value !== null) return `an object (${Reflect.ownKeys(value).length} keys)`;
  return `${typeof value} ${String(value)}`;
}

const WATCHED: readonly object[] = [
  Object,
  Object.prototype,
  Array,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Number.prototype,
  Date.prototype,
  RegExp.prototype,
  Map.prototype,
  Set.prototype,
  Promise.prototype,
  Error.prototype,
  JSON,
  Reflect,
];

/** Everything that hangs on the built-in prototypes: two equal texts mean that nobody changed them in between. */
export function describePrimordials(): string {
  return WATCHED.map((owner, index) => {
    const keys = Reflect.ownKeys(owner).map((key) => {
      const { writable, enumerable, configurable, value } = Object.getOwnPropertyDescriptor(owner, key) ?? {};
      return `${String(key)}:${typeof value}:${writable}:${enumerable}:${configurable}`;
    });
    return `${index} ${String(Object.getPrototypeOf(owner) === null)} ${keys.join(" ")}`;
  }).join("\n");
}

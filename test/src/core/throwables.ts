/** Something that a handler may throw, and how it is to be described. */
export interface Throwable {
  readonly label: string;
  readonly make: () => unknown;
  readonly type: string;
  readonly message?: string;
}

class PlainSubclass extends Error {}
class NamedSubclass extends Error {
  override readonly name = "ValidationFailed";
}
class NotAnError {
  readonly why = "no";
}

function hostile(): never {
  throw new Error("reading it throws");
}

/** Errors of every kind, and everything else that `throw` accepts. */
export function throwables(): readonly Throwable[] {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  return [
    { label: "an Error", make: () => new Error("boom"), type: "Error", message: "boom" },
    { label: "a TypeError", make: () => new TypeError("boom"), type: "TypeError", message: "boom" },
    { label: "a subclass without a name", make: () => new PlainSubclass("boom"), type: "PlainSubclass" },
    { label: "a subclass with a name", make: () => new NamedSubclass("boom"), type: "ValidationFailed" },
    { label: "a DOMException", make: () => new DOMException("boom", "AbortError"), type: "AbortError" },
    { label: "an AggregateError", make: () => new AggregateError([new Error("a")], "both"), type: "AggregateError" },
    { label: "an error without a message", make: () => new Error(), type: "Error", message: "" },
    { label: "a string", make: () => "boom", type: "string", message: "boom" },
    { label: "an empty string", make: () => "", type: "string", message: "" },
    { label: "undefined", make: () => undefined, type: "undefined", message: "undefined" },
    { label: "null", make: () => null, type: "null", message: "null" },
    { label: "a number", make: () => 42, type: "number", message: "42" },
    { label: "NaN", make: () => Number.NaN, type: "number", message: "NaN" },
    { label: "a bigint", make: () => 42n, type: "bigint", message: "42" },
    { label: "a boolean", make: () => false, type: "boolean", message: "false" },
    { label: "a symbol", make: () => Symbol("boom"), type: "symbol", message: "Symbol(boom)" },
    { label: "a function", make: () => hostile, type: "function", message: "A value of type function was thrown." },
    { label: "a plain object", make: () => ({ a: 1 }), type: "Object", message: "A value of type Object was thrown." },
    { label: "an object with a message", make: () => ({ message: "boom" }), type: "Object", message: "boom" },
    { label: "an object with a message that is none", make: () => ({ message: 3n }), type: "Object" },
    { label: "an instance of a class", make: () => new NotAnError(), type: "NotAnError" },
    { label: "an object without prototype", make: () => Object.create(null), type: "Object" },
    { label: "an array", make: () => [1, 2], type: "Array" },
    { label: "a frozen error", make: () => Object.freeze(new Error("boom")), type: "Error", message: "boom" },
    { label: "a frozen object", make: () => Object.freeze({ message: "boom" }), type: "Object", message: "boom" },
    {
      label: "an error whose message getter throws",
      make: () => Object.defineProperty(new Error("boom"), "message", { get: hostile }),
      type: "Error",
      message: "A value of type Error was thrown.",
    },
    {
      label: "an error whose stack and name getters throw",
      make: () => Object.defineProperties(new Error("boom"), { stack: { get: hostile }, name: { get: hostile } }),
      type: "Error",
      message: "boom",
    },
    {
      label: "an error with a cyclic cause",
      make: () => {
        const error = new Error("boom");
        error.cause = new Error("other", { cause: error });
        return error;
      },
      type: "Error",
      message: "boom",
    },
    {
      label: "a revoked proxy",
      make: () => revoked.proxy,
      type: "Object",
      message: "A value of type Object was thrown.",
    },
    {
      label: "a proxy that throws at every touch",
      make: () =>
        new Proxy({}, { get: hostile, has: hostile, getPrototypeOf: hostile, getOwnPropertyDescriptor: hostile }),
      type: "Object",
    },
    {
      label: "a value whose toString throws",
      make: () => ({ toString: hostile, [Symbol.toPrimitive]: hostile }),
      type: "Object",
    },
    {
      label: "an error with a huge message",
      make: () => new Error("\u20ac".repeat(1_000_000)),
      type: "Error",
    },
    {
      label: "an error with a huge stack and name",
      make: () => Object.assign(new Error("boom"), { stack: "at\n".repeat(100_000), name: "N".repeat(100_000) }),
      type: `${"N".repeat(253)}...`,
    },
    { label: "an error with lone surrogates", make: () => new Error("\ud800 \udc00"), type: "Error" },
    { label: "a thenable", make: () => Object.fromEntries([["then", hostile]]), type: "Object" },
  ];
}

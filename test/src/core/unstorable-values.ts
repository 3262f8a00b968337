import { runInNewContext } from "node:vm";

/** A value that JSON would drop or change, and what the refusal has to say about it. */
export interface Unstorable {
  readonly label: string;
  readonly make: () => unknown;
  readonly path: string;
  readonly reason: RegExp;
}

class Money {
  readonly amount = 5;
}
class Numbers extends Array<number> {}

function thrower(): never {
  throw new Error("hostile");
}

function setNothing(): void {}

function nameless(): new () => object {
  return [
    class {
      readonly amount = 5;
    },
  ][0] as new () => object;
}

function withHidden(target: object): object {
  return Object.defineProperty(target, "hidden", { value: 1, enumerable: false });
}

function cycle(): unknown {
  const inner: Record<string, unknown> = {};
  inner["back"] = { again: [inner] };
  return { inner };
}

/** An array that holds `levels` arrays inside of each other. */
export function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

function trapped(handler: ProxyHandler<object>, target: object = { a: 1 }): () => unknown {
  return () => ({ p: new Proxy(target, handler) });
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return { p: proxy };
}

const LEAVES: readonly Unstorable[] = [
  { label: "NaN", make: () => ({ n: Number.NaN }), path: "args.n", reason: /NaN/ },
  { label: "Infinity", make: () => [1, Number.POSITIVE_INFINITY], path: "args[1]", reason: /Infinity/ },
  { label: "-Infinity", make: () => ({ a: [{ b: -Infinity }] }), path: "args.a[0].b", reason: /-Infinity/ },
  { label: "a BigInt", make: () => ({ big: 1n }), path: "args.big", reason: /bigint/ },
  { label: "undefined at the top", make: () => undefined, path: "args", reason: /undefined/ },
  { label: "undefined in an object", make: () => ({ a: { b: undefined } }), path: "args.a.b", reason: /undefined/ },
  { label: "undefined in an array", make: () => ({ a: [0, undefined] }), path: "args.a[1]", reason: /undefined/ },
  { label: "a function", make: () => ({ f: () => 1 }), path: "args.f", reason: /function/ },
  { label: "a class", make: () => ({ c: Money }), path: "args.c", reason: /function/ },
  { label: "a symbol", make: () => [Symbol("s")], path: "args[0]", reason: /symbol/ },
];

const INSTANCES: readonly Unstorable[] = [
  { label: "a Date", make: () => ({ at: new Date(0) }), path: "args.at", reason: /instance of Date/ },
  { label: "a Map", make: () => ({ m: new Map() }), path: "args.m", reason: /instance of Map/ },
  { label: "a Set", make: () => ({ s: new Set([1]) }), path: "args.s", reason: /instance of Set/ },
  { label: "a RegExp", make: () => ({ r: /x/ }), path: "args.r", reason: /instance of RegExp/ },
  { label: "an Error", make: () => ({ e: new Error("x") }), path: "args.e", reason: /instance of Error/ },
  { label: "a Promise", make: () => ({ p: Promise.resolve() }), path: "args.p", reason: /instance of Promise/ },
  { label: "bytes", make: () => ({ b: new Uint8Array(2) }), path: "args.b", reason: /instance of Uint8Array/ },
  { label: "a boxed number", make: () => ({ n: Object(1) as object }), path: "args.n", reason: /instance of Number/ },
  { label: "a boxed string", make: () => [Object("s")], path: "args[0]", reason: /instance of String/ },
  { label: "a class instance", make: () => ({ m: new Money() }), path: "args.m", reason: /instance of Money/ },
  { label: "an array subclass", make: () => ({ n: Numbers.of(1, 2) }), path: "args.n", reason: /instance of Numbers/ },
  { label: "a nameless class", make: () => [new (nameless())()], path: "args[0]", reason: /instance of a class/ },
  {
    label: "a made-up prototype",
    make: () => ({ o: Object.create({ a: 1 }) as object }),
    path: "args.o",
    reason: /not plain/,
  },
  {
    label: "a Date of another realm",
    make: () => runInNewContext("({ d: new Date(0) })"),
    path: "args.d",
    reason: /Date/,
  },
  { label: "a Map of another realm", make: () => runInNewContext("({ m: new Map() })"), path: "args.m", reason: /Map/ },
];

const SHAPES: readonly Unstorable[] = [
  { label: "a symbol key", make: () => ({ o: { [Symbol("k")]: 1 } }), path: "args.o", reason: /symbol or hidden/ },
  { label: "a hidden property", make: () => ({ o: withHidden({}) }), path: "args.o", reason: /symbol or hidden/ },
  { label: "a hole", make: () => ({ a: Array(2) }), path: "args.a", reason: /holes/ },
  { label: "a late hole", make: () => Object.assign([1, 2], { length: 3 }), path: "args", reason: /holes/ },
  { label: "an extra array property", make: () => Object.assign([1], { x: 2 }), path: "args", reason: /extra/ },
  {
    label: "a hole and an extra property",
    make: () => Object.assign(Array(1), { x: 2 }),
    path: "args[0]",
    reason: /undefined/,
  },
  {
    label: "a symbol on an array",
    make: () => Object.assign([1], { [Symbol("k")]: 2 }),
    path: "args",
    reason: /extra/,
  },
  { label: "a hidden property on an array", make: () => withHidden([1]), path: "args", reason: /extra/ },
  {
    label: "toJSON on an array",
    make: () => Object.defineProperty([1], "toJSON", { value: () => 2 }),
    path: "args",
    reason: /toJSON|extra/,
  },
  { label: "toJSON on an object", make: () => ({ o: { toJSON: () => 1 } }), path: "args.o", reason: /toJSON/ },
  {
    label: "an accessor",
    make: () => ({
      get a(): number {
        return 1;
      },
    }),
    path: "args.a",
    reason: /accessor/,
  },
  {
    label: "a setter",
    make: () => ({ o: Object.defineProperty({}, "a", { set: setNothing, enumerable: true }) }),
    path: "args.o.a",
    reason: /accessor/,
  },
  {
    label: "a getter that throws",
    make: () => ({
      get a(): number {
        return thrower();
      },
    }),
    path: "args.a",
    reason: /accessor/,
  },
  {
    label: "an array getter that throws",
    make: () => Object.defineProperty([1], 0, { get: thrower, enumerable: true }),
    path: "args",
    reason: /reading it throws/,
  },
  { label: "a cycle", make: cycle, path: "args.inner.back.again[0]", reason: /back to itself/ },
  { label: "201 levels", make: () => nested(201), path: `args${"[0]".repeat(200)}`, reason: /deeper than 200/ },
  { label: "100,000 levels", make: () => nested(100_000), path: `args${"[0]".repeat(200)}`, reason: /deeper than 200/ },
];

const PROXIES: readonly Unstorable[] = [
  {
    label: "a proxy with a throwing ownKeys",
    make: trapped({ ownKeys: thrower }),
    path: "args.p",
    reason: /reading it throws/,
  },
  {
    label: "a proxy with a throwing get",
    make: trapped({ get: thrower }),
    path: "args.p",
    reason: /reading it throws/,
  },
  {
    label: "a proxy with a throwing descriptor",
    make: trapped({ getOwnPropertyDescriptor: thrower }),
    path: "args.p",
    reason: /reading it throws/,
  },
  {
    label: "a proxy with a throwing prototype",
    make: trapped({ getPrototypeOf: thrower }),
    path: "args.p",
    reason: /reading it throws/,
  },
  {
    label: "an array proxy with a throwing get",
    make: trapped({ get: thrower }, [1]),
    path: "args.p",
    reason: /reading it throws/,
  },
  { label: "a revoked proxy", make: revoked, path: "args.p", reason: /reading it throws/ },
  {
    label: "a proxy that hides its value",
    make: trapped({ get: () => undefined }),
    path: "args.p.a",
    reason: /undefined/,
  },
  {
    label: "an array proxy that hides its value",
    make: trapped({ get: (on, key) => (key === "0" ? undefined : Reflect.get(on, key)) }, [1]),
    path: "args.p[0]",
    reason: /undefined/,
  },
  {
    label: "a proxy with a toJSON of its own",
    make: trapped({ get: (on, key) => (key === "toJSON" ? () => 7 : Reflect.get(on, key)) }),
    path: "args.p",
    reason: /toJSON/,
  },
];

/** Values that are refused, each with the path at which it is. */
export const UNSTORABLE: readonly Unstorable[] = [...LEAVES, ...INSTANCES, ...SHAPES, ...PROXIES];

import type { Broker } from "../contracts/broker.ts";

/** The same broker, with some of its methods replaced; everything else is its own, also what it has beyond the contract. */
export function forwardBroker<Kind extends Broker>(broker: Kind, replaced: Partial<Broker>): Kind {
  return new Proxy(broker, {
    get(target, key) {
      if (Object.hasOwn(replaced, key)) return Reflect.get(replaced, key) as unknown;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" && key !== "constructor" ? (value.bind(target) as unknown) : value;
    },
  });
}

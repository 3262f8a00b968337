interface Subscribers {
  readonly listeners: Set<() => void>;
  readonly fire: () => void;
}

const subscribersOf = new WeakMap<AbortSignal, Subscribers>();

/**
 * Calls `listener` when `signal`, which has not fired yet, does; until the returned function is called. A signal has
 * one listener for all of them: Node takes the eleventh for a leak and warns, and a hundred waits at once are none.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const subscribers = subscribersOf.get(signal) ?? subscribe(signal);
  const { listeners, fire } = subscribers;
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || subscribersOf.get(signal) !== subscribers) return;
    signal.removeEventListener("abort", fire);
    subscribersOf.delete(signal);
  };
}

/** As {@link onAbort}; a signal that has fired calls at once. */
export function whenAborted(signal: AbortSignal, listener: () => void): () => void {
  if (!signal.aborted) return onAbort(signal, listener);
  listener();
  return () => undefined;
}

function subscribe(signal: AbortSignal): Subscribers {
  const listeners = new Set<() => void>();
  const fire = (): void => {
    for (const listener of listeners) listener();
  };
  const subscribers = { listeners, fire };
  signal.addEventListener("abort", fire, { once: true });
  subscribersOf.set(signal, subscribers);
  return subscribers;
}

import type { SubscriptionRef } from "../operations/operation.ts";

/** Who wants to hear what: topics are names such as `status:<namespace>:<id>`. */
export class Watchers {
  readonly #byTopic = new Map<string, SubscriptionRef[]>();
  readonly #topics = new Map<string, string>();
  /** Topics of watches that begin with the present commit; one that fails leaves a topic that is read for nobody. */
  readonly #expected = new Set<string>();

  /** The same watch again is no second one. */
  add(ref: SubscriptionRef, topic: string): void {
    if (this.#topics.get(keyOf(ref)) === topic) return;
    this.#topics.set(keyOf(ref), topic);
    this.#expected.delete(topic);
    const refs = this.#byTopic.get(topic);
    if (refs === undefined) this.#byTopic.set(topic, [ref]);
    else refs.push(ref);
  }

  expect(topic: string): void {
    this.#expected.add(topic);
  }

  isWatched(topic: string): boolean {
    return this.#byTopic.has(topic) || this.#expected.has(topic);
  }

  remove(ref: SubscriptionRef): void {
    const topic = this.#topics.get(keyOf(ref));
    if (topic === undefined) return;
    this.#topics.delete(keyOf(ref));
    const rest = (this.#byTopic.get(topic) ?? []).filter((other) => keyOf(other) !== keyOf(ref));
    if (rest.length === 0) this.#byTopic.delete(topic);
    else this.#byTopic.set(topic, rest);
  }

  removeMember(member: number): void {
    for (const refs of [...this.#byTopic.values()]) {
      for (const ref of refs) if (ref.member === member) this.remove(ref);
    }
  }

  /** Every topic somebody watches. */
  get topics(): readonly string[] {
    return [...this.#byTopic.keys()];
  }

  of(topic: string): readonly SubscriptionRef[] {
    return this.#byTopic.get(topic) ?? [];
  }
}

function keyOf(ref: SubscriptionRef): string {
  return `${ref.member}/${ref.subscription}`;
}

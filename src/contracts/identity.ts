/** Source of randomness: uniform numbers in `[0, 1)`, and bytes for ids. */
export interface Randomness {
  number(): number;
  /** Fills `into` with random bytes of cryptographic quality. */
  fill(into: Uint8Array<ArrayBuffer>): void;
}

/** Makes ids for tasks, groups and consumers; the default makes UUID version 7. */
export type IdSource = () => string;

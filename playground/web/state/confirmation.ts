import { signal } from "@preact/signals";

/** A question that has to be answered before something is destroyed. */
export interface Confirmation {
  readonly title: string;
  readonly text: string;
  /** What the button says that goes on. */
  readonly action: string;
  readonly run: () => void;
}

/** The question that is open. */
export const confirmation = signal<Confirmation | undefined>(undefined);

/** A value that is shown in full, as JSON. */
export const inspected = signal<{ readonly title: string; readonly value: unknown } | undefined>(undefined);

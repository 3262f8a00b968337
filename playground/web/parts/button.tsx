import type { ComponentChildren } from "preact";
import { confirmation, inspected } from "../state/confirmation.ts";
import { act } from "../state/notices.ts";
import { refreshAll } from "../state/polling.ts";

interface ButtonProps {
  /** Resolves to what was done, where that does not show by itself. */
  readonly run: () => Promise<string | void>;
  readonly children: ComponentChildren;
  readonly disabled?: boolean;
  /** What it acts on, where the text of the button alone does not say. */
  readonly label?: string;
  /** Asked first, for what destroys something. */
  readonly question?: { readonly title: string; readonly text: string; readonly action: string };
  readonly kind?: "primary" | "danger" | "small";
}

/** A button that does something to the queue, and shows what came of it. */
export function Button({ run, children, disabled = false, label, question, kind }: ButtonProps) {
  const start = (): void =>
    act(async () => {
      const done = await run();
      refreshAll();
      return done;
    });
  const click = (): void => {
    if (question === undefined) start();
    else confirmation.value = { ...question, run: start };
  };
  return (
    <button type="button" class={kind} disabled={disabled} aria-label={label} onClick={click}>
      {children}
    </button>
  );
}

/** An id that shows everything about what it names. */
export function InspectButton({ title, value, children }: { title: string; value: unknown; children: string }) {
  return (
    <button
      type="button"
      class="link"
      aria-label={`${children}: show ${title}`}
      onClick={() => (inspected.value = { title, value })}
    >
      {children}
    </button>
  );
}

import { signal } from "@preact/signals";

/** One line at the foot of the page: what was done, or why it was not. */
export interface Notice {
  readonly id: number;
  readonly kind: "done" | "error";
  readonly text: string;
}

const SHOWN = 4;
const DONE_FOR_MS = 6_000;

let lastId = 0;

export const notices = signal<readonly Notice[]>([]);

/** Shows a line. Errors stay until they are dismissed. */
export function notify(kind: Notice["kind"], text: string): void {
  lastId += 1;
  const id = lastId;
  notices.value = [...notices.value, { id, kind, text }].slice(-SHOWN);
  if (kind === "done") setTimeout(() => dismiss(id), DONE_FOR_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.filter((notice) => notice.id !== id);
}

/** The name, code and sentence of an error, as the library tells it. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { readonly code?: unknown };
  return `${error.name}${typeof code === "string" ? ` (${code})` : ""}: ${error.message}`;
}

/** Carries out what a button asks for; the text it resolves to, or its error, is shown. */
export function act(work: () => Promise<string | void>): void {
  void carryOut(work);
}

async function carryOut(work: () => Promise<string | void>): Promise<void> {
  try {
    const text = await work();
    if (text !== undefined) notify("done", text);
  } catch (error) {
    notify("error", describeError(error));
  }
}

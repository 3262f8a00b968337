// The engine's worker of this page: the package's own, which can be told to hang.
// oxlint-disable-next-line import/no-unassigned-import -- It serves the page once it is loaded.
import "stem-sqlite/browser-engine-thread.js";

/** An order to answer nobody for so long. */
export interface HangOrder {
  readonly hangForMs: number;
}

addEventListener("message", ({ data }: MessageEvent<Partial<HangOrder>>) => {
  const { hangForMs = 0 } = data;
  for (const since = performance.now(); performance.now() - since < hangForMs;);
});

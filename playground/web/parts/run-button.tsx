import { shortId } from "../state/format.ts";
import { selectRun } from "../state/workflows.ts";

/** The end of a run's id, which shows its timeline. */
export function RunButton({ runId, isShown = false }: { readonly runId: string; readonly isShown?: boolean }) {
  const label = `${shortId(runId)}: show run ${runId}`;
  return (
    <button type="button" class="link" aria-label={label} aria-pressed={isShown} onClick={() => selectRun(runId)}>
      {shortId(runId)}
    </button>
  );
}

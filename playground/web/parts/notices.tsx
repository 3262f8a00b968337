import { dismiss, notices } from "../state/notices.ts";

/** What was done, and what failed, at the foot of the page. */
export function Notices() {
  return (
    <div class="notices" role="status" aria-label="Messages">
      {notices.value.map(({ id, kind, text }) => (
        <p key={id} data-kind={kind}>
          <span>
            {kind === "error" ? <strong>Not done. </strong> : null}
            {text}
          </span>
          <button type="button" class="link" aria-label="Dismiss message" onClick={() => dismiss(id)}>
            Dismiss
          </button>
        </p>
      ))}
    </div>
  );
}

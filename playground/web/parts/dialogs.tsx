import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { confirmation, inspected } from "../state/confirmation.ts";

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A dialog of the browser's own: it keeps the focus inside, gives it back, and ends with Escape. */
function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

/** The dialog that is open, if any. */
export function Dialogs() {
  const question = confirmation.value;
  const shown = inspected.value;
  if (question !== undefined) {
    const close = (): void => void (confirmation.value = undefined);
    // Closed before it is taken away, so that the focus goes back to where it was.
    const go = (event: { readonly currentTarget: HTMLElement }): void => {
      event.currentTarget.closest("dialog")?.close();
      question.run();
    };
    return (
      <Dialog title={question.title} onClose={close}>
        <p>{question.text}</p>
        <form method="dialog" class="buttons">
          <button type="submit">Cancel</button>
          <button type="button" class="danger" onClick={go}>
            {question.action}
          </button>
        </form>
      </Dialog>
    );
  }
  if (shown === undefined) return null;
  return (
    <Dialog title={shown.title} onClose={() => (inspected.value = undefined)}>
      <pre tabIndex={0}>{JSON.stringify(shown.value, null, 2)}</pre>
      <form method="dialog" class="buttons">
        <button type="submit">Close</button>
      </form>
    </Dialog>
  );
}

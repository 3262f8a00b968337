const SHAPES: Readonly<Record<string, string>> = {
  queued: "M8 2.5a5.5 5.5 0 1 1 0 11a5.5 5.5 0 0 1 0-11",
  running: "M5 3l8 5l-8 5z",
  retried: "M13 8a5 5 0 1 1-1.6-3.7M13.5 2v3h-3",
  succeeded: "M3 8.5l3.5 3.5L13 4.5",
  failed: "M4 4l8 8M12 4l-8 8",
  cancelled: "M3 8h10",
  suspended: "M5.5 3.5v9M10.5 3.5v9",
  completed: "M3 8.5l3.5 3.5L13 4.5",
};

/** A state, by its word and by a shape. */
export function StateMark({ state }: { readonly state: string }) {
  return (
    <span class="state" data-state={state}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <path d={SHAPES[state] ?? SHAPES["queued"]} />
      </svg>
      {state}
    </span>
  );
}

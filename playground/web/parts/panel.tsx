import type { ComponentChildren } from "preact";

interface PanelProps {
  readonly id: string;
  readonly title: string;
  /** What it shows, in one sentence. */
  readonly about: string;
  /** Takes the whole width of the page. */
  readonly wide?: boolean;
  /** Takes the height of two panels beside it. */
  readonly tall?: boolean;
  readonly children: ComponentChildren;
}

/** A part of the page, with a heading to find it by. */
export function Panel({ id, title, about, wide = false, tall = false, children }: PanelProps) {
  return (
    <section id={id} class={`panel${wide ? " wide" : ""}${tall ? " tall" : ""}`} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        <p>{about}</p>
      </header>
      {children}
    </section>
  );
}

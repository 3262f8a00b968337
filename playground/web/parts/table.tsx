import type { ComponentChildren } from "preact";

interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  /** Shown in the place of rows when there are none. */
  readonly empty: string;
  /** Rows, as `tr` with keys. */
  readonly children: readonly ComponentChildren[];
}

/** A table that scrolls in itself, never the page; with the keyboard, too. */
export function Table({ caption, columns, empty, children }: TableProps) {
  return (
    <div class="scroller" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {children.length > 0 ? (
            children
          ) : (
            <tr>
              <td class="empty" colSpan={columns.length}>
                {empty}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

import { Button } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { Table } from "../parts/table.tsx";
import { formatMs } from "../state/format.ts";
import { answer, formatCell, runStatement, type SqlAnswer, statement, STATEMENTS } from "../state/sql.ts";

export function SqlPanel() {
  return (
    <Panel id="sql" title="SQL" about="One read-only statement on the live database; whatever would write is refused.">
      <div class="toolbar">
        <label>
          Begin with{" "}
          <select onChange={(event) => (statement.value = event.currentTarget.value)}>
            {STATEMENTS.map(({ name, sql }) => (
              <option key={name} value={sql}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <Button kind="primary" run={runStatement}>
          Run
        </Button>
      </div>
      <textarea
        class="sql"
        aria-label="Statement"
        rows={5}
        spellcheck={false}
        value={statement.value}
        onInput={(event) => (statement.value = event.currentTarget.value)}
      />
      <div role="status">{answer.value === undefined ? null : <Answer given={answer.value} />}</div>
    </Panel>
  );
}

function Answer({ given }: { readonly given: SqlAnswer }) {
  if ("error" in given) return <p class="fault">{given.error}</p>;
  const { rows, columns, truncated, tookMs } = given;
  const caption = `${rows.length} rows${truncated ? ", and more that are not shown" : ""}, in ${formatMs(tookMs)}`;
  return (
    <Table caption={caption} columns={columns} empty="No rows.">
      {rows.map((row, index) => (
        <tr key={index}>
          {row.map((value, column) => (
            <td key={column} class={typeof value === "number" ? "number" : "text"}>
              {formatCell(value)}
            </td>
          ))}
        </tr>
      ))}
    </Table>
  );
}

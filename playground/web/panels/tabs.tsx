import type { DatabaseHealth } from "stem-sqlite";
import { Button } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { now } from "../state/clock.ts";
import { crashEngineWorkers, engineWorkers, hangEngineWorkers } from "../state/engine-workers.ts";
import { formatAge, formatCount, formatMs, formatTime } from "../state/format.ts";
import { health, ownerChange, roundTripMs } from "../state/owner.ts";
import { TAB } from "../state/tab.ts";

export function TabsPanel() {
  const found = health.value.value;
  const change = ownerChange.value;
  return (
    <Panel
      id="tabs"
      title="Tabs and the engine"
      about="One tab owns the database and serves the others; when it closes, crashes or hangs, another one takes over."
    >
      <div class="toolbar">
        <Button run={async () => void window.open(location.href, "_blank", "noopener")}>Open another tab</Button>
        <Button
          kind="danger"
          disabled={engineWorkers.value.length === 0}
          run={async () => `Crashed ${crashEngineWorkers()} engine of this tab`}
        >
          Crash this tab's engine
        </Button>
        <Button
          kind="danger"
          disabled={engineWorkers.value.length === 0}
          run={async () => `Hung ${hangEngineWorkers()} engine of this tab`}
        >
          Have it hang
        </Button>
      </div>
      <dl class="facts grid">
        <Fact name="This tab" value={`${TAB}${found === undefined ? "" : `, ${found.role}`}`} mark={found?.role} />
        <Fact name="Owner" value={ownerOf(found)} />
        <Fact name="Owner's id" value={found?.owner.id ?? "…"} />
        <Fact
          name="Owns it since"
          value={
            found === undefined
              ? "…"
              : `${formatTime(found.owner.since)}, ${formatAge(now.value - found.owner.since.getTime())}`
          }
        />
        <Fact name="Members" value={found === undefined ? "…" : formatCount(found.owner.members)} />
        <Fact name="Question and answer" value={roundTripMs.value === undefined ? "…" : formatMs(roundTripMs.value)} />
        <Fact
          name="Last change of owner"
          value={
            change === undefined
              ? "none since this page was opened"
              : `${formatAge(now.value - change.at)}; a call under way waited ${formatMs(change.waitedMs)}`
          }
        />
      </dl>
    </Panel>
  );
}

function ownerOf(found: DatabaseHealth | undefined): string {
  if (found === undefined) return "…";
  return found.role === "owner" ? "this tab" : found.owner.description;
}

/** A fact and its name; `mark` is for whoever looks for it in the document. */
export function Fact({ name, value, mark }: { name: string; value: string; mark?: string | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-fact={name} data-mark={mark}>
        {value}
      </dd>
    </div>
  );
}

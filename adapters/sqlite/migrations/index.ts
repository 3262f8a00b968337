import { queueJobs } from "./0001-queue-jobs.ts";
import { taskResults } from "./0002-task-results.ts";
import { revocations } from "./0003-revocations.ts";
import { engine } from "./0004-engine.ts";
import { members } from "./0005-members.ts";
import { workflows } from "./0006-workflows.ts";
import type { Migration } from "./migration.ts";

export type { Migration } from "./migration.ts";

/** Every migration, oldest first. Append only. */
export const MIGRATIONS: readonly Migration[] = [queueJobs, taskResults, revocations, engine, members, workflows];

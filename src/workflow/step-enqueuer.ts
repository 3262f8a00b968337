import type { EnqueueRequest } from "../contracts/task-enqueuer.ts";
import type { ResultBackend, TaskStatus } from "../contracts/result-backend.ts";
import { DuplicateIdConflictError } from "../errors.ts";
import type { Stem } from "../runtime/stem.ts";

/** Enqueues the tasks of steps, each once, however often the step is run. */
export class StepEnqueuer {
  readonly #stem: Pick<Stem, "enqueueAll">;
  readonly #backend: Pick<ResultBackend, "get"> | undefined;

  constructor(stem: Pick<Stem, "enqueueAll">, backend: Pick<ResultBackend, "get"> | undefined) {
    this.#stem = stem;
    this.#backend = backend;
  }

  /**
   * Enqueues all tasks; they have ids. `mayBeRepeated` says that they may have been enqueued before: then those that
   * have begun are left out, as their messages may be gone already. One that is only queued may have no message yet.
   * Resolves to the statuses that are known of those left out, in the order of the requests.
   */
  async enqueueAll(
    requests: readonly (EnqueueRequest & { readonly id: string })[],
    mayBeRepeated: boolean,
  ): Promise<readonly (TaskStatus | undefined)[]> {
    const begun = mayBeRepeated ? await Promise.all(requests.map(({ id }) => this.#begun(id))) : [];
    const fresh = requests.filter((_, index) => begun[index] === undefined).map(withId);
    if (fresh.length === 0) return begun;
    try {
      await this.#stem.enqueueAll(fresh);
    } catch (error) {
      if (!mayBeRepeated || !(error instanceof DuplicateIdConflictError)) throw error;
      // Enqueued before by other code or with other arguments: what was enqueued first stands.
      for (const request of fresh) await this.#enqueueUnlessThere(request);
    }
    return begun;
  }

  async #begun(taskId: string): Promise<TaskStatus | undefined> {
    const status = (await this.#backend?.get(taskId)) ?? undefined;
    return status?.state === "queued" ? undefined : status;
  }

  async #enqueueUnlessThere(request: EnqueueRequest): Promise<void> {
    try {
      await this.#stem.enqueueAll([request]);
    } catch (error) {
      if (!(error instanceof DuplicateIdConflictError)) throw error;
    }
  }
}

function withId({ id, ...request }: EnqueueRequest & { readonly id: string }): EnqueueRequest {
  return { ...request, enqueueOptions: { ...request.enqueueOptions, taskId: id } };
}

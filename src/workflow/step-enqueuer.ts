import type { EnqueueRequest } from "../contracts/task-enqueuer.ts";
import type { ResultBackend } from "../contracts/result-backend.ts";
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
   */
  async enqueueAll(
    requests: readonly (EnqueueRequest & { readonly id: string })[],
    mayBeRepeated: boolean,
  ): Promise<void> {
    const hasBegun = await Promise.all(
      requests.map(({ id }) => (mayBeRepeated ? this.#hasBegun(id) : Promise.resolve(false))),
    );
    const fresh = requests.filter((_, index) => hasBegun[index] !== true).map(withId);
    if (fresh.length === 0) return;
    try {
      await this.#stem.enqueueAll(fresh);
    } catch (error) {
      if (!mayBeRepeated || !(error instanceof DuplicateIdConflictError)) throw error;
      // Enqueued before by other code or with other arguments: what was enqueued first stands.
      for (const request of fresh) await this.#enqueueUnlessThere(request);
    }
  }

  async #hasBegun(taskId: string): Promise<boolean> {
    const status = (await this.#backend?.get(taskId)) ?? null;
    return status !== null && status.state !== "queued";
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

import { StorageFullError, StorageIoError } from "../../src/errors.ts";

/** What an injected fault does: `short` lets a write do half of its work first, and is `EIO` for every other call. */
export type SimFaultKind = "EIO" | "ENOSPC" | "short";

/** Whether one call fails, or it and every later one. */
export type SimFaultMode = "once" | "persistent";

interface SimFault {
  readonly index: number;
  readonly kind: SimFaultKind;
  readonly mode: SimFaultMode;
}

/** The faults planned for one kind of call, by the call's index. */
export class SimFaults {
  #planned: SimFault[] = [];

  plan(index: number, kind: SimFaultKind, mode: SimFaultMode): void {
    this.#planned.push({ index, kind, mode });
  }

  clear(): void {
    this.#planned = [];
  }

  /** The fault that strikes the call with this index. */
  at(index: number): SimFaultKind | undefined {
    return this.#planned.find((fault) => (fault.mode === "once" ? fault.index === index : fault.index <= index))?.kind;
  }
}

/** The typed error that a storage driver throws for a fault. */
export function toFaultError(kind: SimFaultKind, call: string, path: string): StorageFullError | StorageIoError {
  if (kind === "ENOSPC") return new StorageFullError(path);
  return new StorageIoError(call, path, kind === "short" ? "short write" : kind);
}

import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import { describeError } from "../../../src/error-transfer.ts";
import { EngineError, type StemError } from "../../../src/errors.ts";
import type { TransactionStep } from "../database/transaction.ts";
import { OPERATIONS, type OperationName } from "../operations/operation-table.ts";
import type {
  CopyShelf,
  DatabaseFile,
  Operation,
  OperationScope,
  OwnerEvents,
  OwnerFacts,
} from "../operations/operation.ts";
import type { HubMember } from "./members.ts";
import type { Call, Reply } from "./protocol.ts";
import { answerOf, type LoggedCall } from "./request-log.ts";

/** One call of one member. */
export interface PendingCall {
  readonly member: HubMember;
  readonly call: Call;
}

/** What the calls of one transaction share. */
export interface FlushContext {
  readonly sql: SqlSession;
  readonly file: DatabaseFile;
  readonly copies: CopyShelf;
  readonly now: number;
  readonly events: OwnerEvents;
  nextToken(): number;
  ownerFacts(): OwnerFacts;
}

/** One call as a step of the shared transaction; keeps its reply until the transaction has ended. */
export class CallStep implements TransactionStep, OperationScope, LoggedCall {
  readonly member: HubMember;
  readonly kind: TransactionStep["kind"];
  readonly #call: Call;
  readonly #operation: Operation<unknown, unknown>;
  readonly #context: FlushContext;
  #effects: (() => void)[] | undefined;
  #reply: Reply | undefined;
  #isRepeated = false;

  constructor({ member, call }: PendingCall, context: FlushContext) {
    this.member = member;
    this.#call = call;
    this.#context = context;
    this.#operation = operationNamed(call[1]);
    this.kind = this.#operation.kind;
  }

  get sql(): SqlSession {
    return this.#context.sql;
  }

  get file(): DatabaseFile {
    return this.#context.file;
  }

  get copies(): CopyShelf {
    return this.#context.copies;
  }

  get now(): number {
    return this.#context.now;
  }

  get events(): OwnerEvents {
    return this.#context.events;
  }

  get isLogged(): boolean {
    return this.kind !== "read" && this.#operation.isRepeatable !== true && !this.#isRepeated;
  }

  nextToken(): number {
    return this.#context.nextToken();
  }

  ownerFacts(): OwnerFacts {
    return this.#context.ownerFacts();
  }

  afterCommit(effect: () => void): void {
    (this.#effects ??= []).push(effect);
  }

  run(): void {
    const [id, , args] = this.#call;
    const known = this.isLogged ? answerOf(this.sql, this.member, id) : undefined;
    this.#isRepeated = known !== undefined;
    this.#reply = known ?? [id, this.#operation.run(this, args)];
  }

  fail(error: unknown): void {
    this.#effects = undefined;
    this.#reply = this.failed(error);
  }

  /** The answer, once the call has run. */
  get reply(): Reply {
    return this.#reply ?? this.failed(new EngineError("a call was left out"));
  }

  /** The transaction is durable: runs the effects and gives the reply. */
  committed(): Reply {
    for (const effect of this.#effects ?? []) effect();
    return this.reply;
  }

  /** The transaction did not take effect, or may not have. */
  failed(error: unknown): Reply {
    return [this.#call[0], undefined, describeError(error)];
  }
}

/**
 * Takes the calls of the next transaction from the queue, in order. A query has one of its own: one that runs out of memory
 * has SQLite undo all of its transaction.
 */
export function takeCalls(queue: PendingCall[], most: number): PendingCall[] {
  const query = queue.findIndex(({ call }) => call[1] === "queryDatabase");
  return queue.splice(0, query === -1 ? most : Math.min(most, Math.max(1, query)));
}

/** The reply to a call that was not even tried. */
export function refuse({ call }: PendingCall, error: StemError): Reply {
  return [call[0], undefined, describeError(error)];
}

function operationNamed(name: string): Operation<unknown, unknown> {
  if (Object.hasOwn(OPERATIONS, name)) return OPERATIONS[name as OperationName];
  return {
    kind: "read",
    run: () => {
      throw new EngineError(`it does not know the operation "${name}"`);
    },
  };
}

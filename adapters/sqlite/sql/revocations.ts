/** Stores a revocation; changes no row when the stored one has the same or a greater version. */
export const PUT_REVOCATION: string = /* sql */ `
insert into revocations
  (namespace, task_id, version, issued_at, terminate, reason, requested_by, expires_at)
values (:namespace, :taskId, :version, :issuedAt, :terminate, :reason, :requestedBy, :expiresAt)
on conflict (namespace, task_id) do update
set version = excluded.version, issued_at = excluded.issued_at, terminate = excluded.terminate,
  reason = excluded.reason, requested_by = excluded.requested_by, expires_at = excluded.expires_at
where excluded.version > revocations.version`;

/** One revocation, by primary key. */
export const GET_REVOCATION: string = /* sql */ `
select namespace, task_id as taskId, version, issued_at as issuedAt, terminate, reason,
  requested_by as requestedBy, expires_at as expiresAt
from revocations
where namespace = :namespace and task_id = :taskId`;

/** All revocations of a namespace, oldest version first; served by `revocations_for_list` without a sort. */
export const LIST_REVOCATIONS: string = /* sql */ `
select namespace, task_id as taskId, version, issued_at as issuedAt, terminate, reason,
  requested_by as requestedBy, expires_at as expiresAt
from revocations
where namespace = :namespace
order by version, task_id`;

/** Deletes the revocations of a namespace that ended by `:clock`. */
export const PRUNE_REVOCATIONS: string = /* sql */ `
delete from revocations
where namespace = :namespace and expires_at <= :clock`;

/** The version that was given last, as far as versions rise; served by `revocations_for_list`. */
export const GREATEST_VERSION: string = /* sql */ `
select max(version) as version
from revocations
where namespace = :namespace`;

/** Creates a group, or starts it anew; its earlier results are another statement's. */
export const PUT_GROUP: string = /* sql */ `
insert into task_groups (namespace, id, expected, meta, expires_at)
values (:namespace, :id, :expected, :meta, :expiresAt)
on conflict (namespace, id) do update
set expected = excluded.expected, meta = excluded.meta, expires_at = excluded.expires_at`;

/** Deletes up to `:limit` results of one group, all of them where it is -1. */
export const DELETE_GROUP_RESULTS: string = /* sql */ `
delete from task_group_results
where (namespace, group_id, task_id) in (
  select namespace, group_id, task_id from task_group_results
  where namespace = :namespace and group_id = :groupId
  limit :limit)`;

/** One group without its results, by primary key. */
export const GET_GROUP: string = /* sql */ `
select id, expected, meta
from task_groups
where namespace = :namespace and id = :groupId and expires_at > :now`;

/** The results of a group, in order of their first arrival. */
export const LIST_GROUP_RESULTS: string = /* sql */ `
select task_id as taskId, status
from task_group_results
where namespace = :namespace and group_id = :groupId
order by position`;

/** Adds a member result when its group is there; a later one of the same task takes the place of the earlier. */
export const PUT_GROUP_RESULT: string = /* sql */ `
insert into task_group_results (namespace, group_id, task_id, position, status)
select namespace, id, :taskId, :position, :status
from task_groups
where namespace = :namespace and id = :groupId and expires_at > :now
on conflict (namespace, group_id, task_id) do update
set status = excluded.status`;

/** Changes the meta of a group. */
export const SET_GROUP_META: string = /* sql */ `
update task_groups
set meta = :meta
where namespace = :namespace and id = :groupId`;

/** Up to `:limit` expired groups of every namespace; served by `task_groups_for_expiry`. */
export const SELECT_EXPIRED_GROUPS: string = /* sql */ `
select namespace, id as groupId
from task_groups
where expires_at <= :now
order by expires_at
limit :limit`;

/** Deletes one group; its results must be gone. */
export const DELETE_GROUP: string = /* sql */ `
delete from task_groups
where namespace = :namespace and id = :groupId`;

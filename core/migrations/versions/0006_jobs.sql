-- An answer is replayed byte by byte and may name a bank account: it is kept sealed; `body` tells its ref only.
alter table idempotency_key add column answer bytea;
-- Whose turn it is: a request that died is taken over, and if it wakes up its answer is not stored.
alter table idempotency_key add column turn integer not null default 1;
alter table idempotency_key add constraint idempotency_done_has_answer
    check ((state = 'done') = (status is not null and answer is not null));

-- When a row was sent is one look at the batch that begins last before it.
create index outbox_batch_from on outbox_batch (from_xid);
create or replace view v_outbox as
select o.id, o.topic, o.created_at,
       (select case when o.xid < b.to_xid then b.sent_at end
          from outbox_batch b where b.from_xid <= o.xid order by b.from_xid desc, b.id desc limit 1) as sent_at
  from outbox o;

-- A file is written by whoever holds the lease; a writer that died is followed by another, three times at most.
alter table export_file add column attempts smallint not null default 0;
alter table export_file add column leased_until timestamptz;
alter table export_file add constraint export_done_has_file
    check (state <> 'done' or (done_at is not null and sha256 is not null));
create index export_file_open on export_file (created_at) where state in ('waiting', 'running');
create index export_file_user on export_file (user_id, id desc);

-- How far the sandbox's clock is ahead of the real one; one row.
create table sandbox_clock (
    one             boolean primary key default true constraint sandbox_clock_once check (one),
    offset_seconds  bigint not null
);

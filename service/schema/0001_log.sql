-- The log: one dense order of events, never changed, never deleted (architecture.md §3).

create table log (
    singleton  boolean primary key default true check (singleton),
    log_id     uuid not null,
    opened_at  timestamptz not null default clock_timestamp()
);

create table events (
    position     bigint primary key check (position > 0),
    stream_id    uuid not null,
    version      int not null check (version > 0),
    name         text not null,
    recorded_at  timestamptz not null,
    command_id   uuid not null,
    command_seq  smallint not null,
    state        bytea not null,
    leaf_hash    bytea not null,
    constraint events_version unique (stream_id, version),
    constraint events_command unique (command_id, command_seq)
);
-- Sealed boxes do not compress; trying would cost the writer time under the lock.
alter table events alter column state set storage external;

-- Names that must be unique across streams; rebuildable from the log.
create table claims (
    kind       text collate "C" not null,
    key        text collate "C" not null,
    stream_id  uuid not null,
    constraint claims_key primary key (kind, key)
);
create index claims_stream on claims (stream_id);

-- What was asked under a command id, as a keyed hash: tells a repeated form from another one under the same key.
-- Beside the log and erasable.
create table requests (
    command_id  uuid primary key,
    mac         bytea not null,
    asked_at    timestamptz not null default clock_timestamp()
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the log is append-only: % on % refused', tg_op, tg_table_name;
end $$;
create trigger events_never_change before update or delete or truncate on events
    for each statement execute function refuse_change();

create function length_prefixed(part bytea) returns bytea language sql immutable strict parallel safe
    return int4send(length(part)) || part;

-- RFC 9162 leaf: 0x00 before the entry; every part with its length, so that no two rows give the same bytes.
create function leaf_hash(
    log_id uuid, "position" bigint, stream_id uuid, version int, name text, recorded_at timestamptz,
    command_id uuid, command_seq smallint, state bytea
) returns bytea language sql immutable strict parallel safe
    return sha256(
        '\x00'::bytea || convert_to('bihuan-leaf-1', 'UTF8')
        || length_prefixed(uuid_send(log_id))
        || length_prefixed(int8send("position"))
        || length_prefixed(uuid_send(stream_id))
        || length_prefixed(int4send(version))
        || length_prefixed(convert_to(name, 'UTF8'))
        || length_prefixed(int8send((extract(epoch from recorded_at) * 1000000)::bigint))
        || length_prefixed(uuid_send(command_id))
        || length_prefixed(int2send(command_seq))
        || length_prefixed(state)
    );

-- The lock is taken first and released at commit, before the flush: the caller's second statement flushes.
create function append_events(
    p_stream uuid[], p_version int[], p_name text[], p_state bytea[], p_command uuid[], p_seq smallint[],
    p_claim_kind text[], p_claim_key text[], p_claim_stream uuid[]
) returns table (p_position bigint, p_recorded_at timestamptz, p_leaf_hash bytea) language plpgsql as $$
declare
    last_position bigint;
    last_time timestamptz;
    this_time timestamptz;
    this_log uuid;
begin
    -- A snapshot taken before the lock would not show the last row.
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'append_events needs READ COMMITTED';
    end if;
    perform set_config('synchronous_commit', 'off', true);
    perform pg_advisory_xact_lock(hashtext('bihuan.append'));
    select e.position, e.recorded_at into last_position, last_time from events e order by e.position desc limit 1;
    select l.log_id into strict this_log from log l;
    this_time := greatest(clock_timestamp(), last_time + interval '1 microsecond');
    insert into claims (kind, key, stream_id) select * from unnest(p_claim_kind, p_claim_key, p_claim_stream);
    return query
        insert into events as t (
            position, stream_id, version, name, recorded_at, command_id, command_seq, state, leaf_hash
        )
        select n, s, v, na, this_time, c, q, b, leaf_hash(this_log, n, s, v, na, this_time, c, q, b)
        from (
            select coalesce(last_position, 0) + o as n, s, v, na, b, c, q
            from unnest(p_stream, p_version, p_name, p_state, p_command, p_seq)
                with ordinality u(s, v, na, b, c, q, o)
            order by o
        ) placed
        returning t.position, t.recorded_at, t.leaf_hash;
    perform pg_notify('events', '');
end $$;

insert into log (log_id) values (gen_random_uuid());

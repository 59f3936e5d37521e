-- The vault: wrapped keys, keyed marks for matching, and what else must be erasable. Nothing here is plain personal data,
-- and nothing here is part of the log: its backups are kept apart and no longer than erasure allows.

create schema vault;

-- One key per (person or case, retention class). A key is made ahead, reserved by one process, then assigned to its owner
-- in the transaction of the event that first names it.
create table vault.keys (
    key_id uuid primary key,
    master_id text not null,
    wrapped bytea,                              -- AES key wrap under the master key; null once destroyed
    retention text,
    owner_kind text check (owner_kind in ('person', 'case')),
    owner uuid,
    main boolean not null default false,        -- the one key with which new values of its owner are sealed
    imported boolean not null default false,    -- came from an export: opens, but is never given to a new owner
    created_at timestamptz not null default clock_timestamp(),
    reserved_by uuid,
    reserved_at timestamptz,
    assigned_at timestamptz,
    destroyed_at timestamptz,
    check ((wrapped is null) = (destroyed_at is not null)),
    check (num_nulls(retention, owner_kind, owner, assigned_at) in (0, 4)),
    check (not main or owner is not null),
    check (reserved_by is null or num_nonnulls(assigned_at, destroyed_at) = 0)
);

-- A destroyed key leaves room for a new one: somebody who was erased may complain again.
create unique index keys_one_main on vault.keys (owner, owner_kind, retention) where main and destroyed_at is null;
create index keys_beside_main on vault.keys (owner) where owner is not null and not main;
create index keys_made_ahead on vault.keys (created_at) where assigned_at is null and destroyed_at is null;

-- Assigns keys to their owners, or checks that they still are. It belongs into the transaction of the append, before the
-- lock of the log is taken: two transactions may wait here for one another's owner, and neither may hold that lock then.
-- A key beside the main one is taken where the owner got a main key meanwhile; so no race has to seal anything anew.
create function vault.assign(
    p_process uuid, p_key_ids uuid[], p_owner_kinds text[], p_owners uuid[], p_retentions text[]
) returns void language plpgsql as $$
declare
    claim record;
begin
    for claim in
        select * from unnest(p_key_ids, p_owner_kinds, p_owners, p_retentions) as c (key_id, owner_kind, owner, retention)
        order by c.owner, c.retention, c.key_id     -- one order for all, so that no two wait crosswise
    loop
        begin
            update vault.keys k
            set owner_kind = claim.owner_kind, owner = claim.owner, retention = claim.retention,
                assigned_at = clock_timestamp(), reserved_by = null, reserved_at = null,
                main = not exists (
                    select from vault.keys m
                    where m.main and m.destroyed_at is null and m.owner = claim.owner
                        and m.owner_kind = claim.owner_kind and m.retention = claim.retention
                )
            where k.key_id = claim.key_id and k.assigned_at is null and k.destroyed_at is null and k.reserved_by = p_process;
        exception when unique_violation then
            -- Another transaction gave the owner a main key since this statement began.
            update vault.keys k
            set owner_kind = claim.owner_kind, owner = claim.owner, retention = claim.retention,
                assigned_at = clock_timestamp(), main = false, reserved_by = null, reserved_at = null
            where k.key_id = claim.key_id and k.assigned_at is null and k.destroyed_at is null and k.reserved_by = p_process;
        end;
        continue when found;
        -- The key of an older owner; the share lock keeps it from being destroyed before this commits.
        perform from vault.keys k
        where k.key_id = claim.key_id and k.destroyed_at is null and k.owner = claim.owner
            and k.owner_kind = claim.owner_kind and k.retention = claim.retention
        for share;
        if not found then
            raise exception 'a key is no longer to be had; seal anew' using ERRCODE = 'BH001';
        end if;
    end loop;
end $$;

-- Random secrets by name: the pepper of matching, the derivation of query codes, tokens of forms.
create table vault.secrets (
    name text primary key,
    master_id text not null,
    wrapped bytea not null,
    created_at timestamptz not null default clock_timestamp()
);

-- When the keys were last carried out of the house, and under which master keys.
create table vault.exports (
    exported_at timestamptz not null default clock_timestamp(),
    master_ids text[] not null,
    keys bigint not null
);

-- Sealed files, found by the hash of the box, which is what the event holds. No foreign key: keys and files are restored
-- from different backups. A box goes with its key, its row stays, so that erased and lost can be told apart.
create table vault.attachments (
    digest bytea primary key,                   -- SHA-256 of the box
    value_id uuid not null,
    key_id uuid not null,
    nonce bytea not null,
    box bytea,
    created_at timestamptz not null default clock_timestamp()
);
alter table vault.attachments alter column box set storage external; -- ciphertext does not compress
create index attachments_of_key on vault.attachments (key_id);

-- Who is the same person: keyed marks of phones and identity numbers, mapped to a random key that alone enters the log.
create table vault.subjects (
    kind text not null,
    mac bytea not null,
    subject_key uuid not null,
    primary key (kind, mac)
);
create index subjects_by_key on vault.subjects (subject_key);

-- Gives the subject of these marks (null: not given), or makes `p_fresh` one. The identity number decides where the two lead
-- to different people; a phone joins an identity number only while its subject has none: families share phones.
create function vault.subject_for(p_identity bytea, p_phone bytea, p_fresh uuid) returns uuid language plpgsql as $$
declare
    by_identity uuid;
    by_phone uuid;
    chosen uuid;
begin
    for turn in 1..2 loop
        select subject_key into by_identity from vault.subjects where kind = 'identity' and mac = p_identity;
        select subject_key into by_phone from vault.subjects where kind = 'phone' and mac = p_phone;
        if (p_identity is null or by_identity is not null) and (p_phone is null or by_phone is not null) then
            return coalesce(by_identity, by_phone);
        end if;
        -- One at a time for each mark, then look again: two first complaints from one phone must meet one subject.
        if turn = 1 then
            perform pg_advisory_xact_lock(mark)
            from (
                select ('x' || encode(substr(mac, 1, 8), 'hex'))::bit(64)::bigint as mark
                from unnest(array[p_identity, p_phone]) as mac where mac is not null order by mark
            ) marks;
        end if;
    end loop;
    chosen := coalesce(
        by_identity,
        case when p_identity is null
            or not exists (select from vault.subjects where subject_key = by_phone and kind = 'identity') then by_phone end,
        p_fresh
    );
    -- No flush of its own: the append that names the subject comes later in the same write-ahead log.
    perform set_config('synchronous_commit', 'off', true);
    insert into vault.subjects (kind, mac, subject_key)
    select kind, mac, chosen
    from (values ('identity', p_identity, by_identity), ('phone', p_phone, by_phone)) as given (kind, mac, known)
    where mac is not null and known is null;
    return chosen;
end $$;

-- Query codes of people without an account: keyed marks only, one alive per case.
create table vault.query_codes (
    case_id uuid not null,
    mac bytea not null,
    issued_at timestamptz not null default clock_timestamp(),
    dead_at timestamptz,
    primary key (case_id, mac)
);
create unique index query_codes_one_alive on vault.query_codes (case_id) where dead_at is null;

-- A new code kills the old one; the same code again changes nothing, and a dead one stays dead.
create function vault.issue_code(p_case uuid, p_mac bytea) returns void language sql as $$
    update vault.query_codes set dead_at = clock_timestamp()
    where case_id = p_case and dead_at is null and mac <> p_mac
        and not exists (select from vault.query_codes where case_id = p_case and mac = p_mac);
    insert into vault.query_codes (case_id, mac) values (p_case, p_mac) on conflict (case_id, mac) do nothing;
$$;

-- Keyed sketches of narratives, to find the same complaint told again.
create table vault.sketches (
    case_id uuid primary key,
    subject_key uuid not null,
    mins bytea not null,
    created_at timestamptz not null
);
create index sketches_by_subject on vault.sketches (subject_key, created_at);

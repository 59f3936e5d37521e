-- Marks of devices and networks are kept for a time (BIHUAN_MARKS_DAYS), those of persons until they are erased. Of a mark
-- that was there before, nobody knows since when: its time begins now.
alter table vault.subjects add column created_at timestamptz not null default clock_timestamp();
create index subjects_ageing on vault.subjects (created_at) where kind in ('device', 'network');

-- How far each projection is, by number: a new number fills beside the old one.
create table if not exists projection_positions (
    name      text not null,
    number    int not null,
    position  bigint not null,
    primary key (name, number)
);

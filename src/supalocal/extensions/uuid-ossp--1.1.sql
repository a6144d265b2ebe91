-- The functions of uuid-ossp by their own names, on core Postgres functions alone (Postgres 18).

create function uuid_nil() returns uuid immutable strict parallel safe language sql
return '00000000-0000-0000-0000-000000000000'::uuid;

create function uuid_ns_dns() returns uuid immutable strict parallel safe language sql
return '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_url() returns uuid immutable strict parallel safe language sql
return '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_oid() returns uuid immutable strict parallel safe language sql
return '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_x500() returns uuid immutable strict parallel safe language sql
return '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_generate_v4() returns uuid volatile strict parallel safe language sql
return pg_catalog.gen_random_uuid();

-- RFC 9562, 5.1: 60 bits of 100 ns since 1582-10-15, then clock sequence and node; the node is random with the
-- multicast bit set, as for uuid_generate_v1mc, because a database function cannot read a network card's address.
create function uuid_generate_v1mc() returns uuid volatile strict parallel safe language sql
return (
  select (
      pg_catalog.right(ticks, 8)
      operator(pg_catalog.||) pg_catalog.substr(ticks, 4, 4)
      operator(pg_catalog.||) '1'
      operator(pg_catalog.||) pg_catalog.left(ticks, 3)
      operator(pg_catalog.||) pg_catalog.substr(random, 17, 4)
      operator(pg_catalog.||) pg_catalog.to_hex(
        ('x' operator(pg_catalog.||) pg_catalog.substr(random, 21, 2))::bit(8)::integer operator(pg_catalog.|) 1
      )::char(2)
      operator(pg_catalog.||) pg_catalog.substr(random, 23, 10)
    )::uuid
  from (
    select
      pg_catalog.lpad(
        pg_catalog.to_hex(
          (extract(epoch from pg_catalog.clock_timestamp()) operator(pg_catalog.*) 10000000)::bigint
          operator(pg_catalog.+) 122192928000000000
        ), 15, '0'
      ) as ticks,
      pg_catalog.replace(pg_catalog.gen_random_uuid()::text, '-', '') as random
  ) as parts
);

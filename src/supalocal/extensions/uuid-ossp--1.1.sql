-- The functions of uuid-ossp by their own names, on core Postgres functions alone. The bodies after `return` are bound
-- to pg_catalog when they are created, so no caller's search path reaches them.

create function uuid_nil() returns uuid immutable parallel safe
return '00000000-0000-0000-0000-000000000000'::uuid;

create function uuid_ns_dns() returns uuid immutable parallel safe
return '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_url() returns uuid immutable parallel safe
return '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_oid() returns uuid immutable parallel safe
return '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_ns_x500() returns uuid immutable parallel safe
return '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;

create function uuid_generate_v4() returns uuid volatile parallel safe
return gen_random_uuid();

-- RFC 9562, 5.1: 60 bits of 100 ns since 1582-10-15, a clock sequence, a node. The node is random, its multicast bit set.
create function uuid_generate_v1mc() returns uuid volatile parallel safe
return (
  select
    right(ticks, 8) || substr(ticks, 4, 4) || '1' || left(ticks, 3) || substr(random, 17, 4)
    || lpad(to_hex(('x' || substr(random, 21, 2))::bit(8)::integer | 1), 2, '0') || substr(random, 23)
  from (
    select
      lpad(to_hex((extract(epoch from clock_timestamp()) * 10000000)::bigint + 122192928000000000), 15, '0') as ticks,
      replace(gen_random_uuid()::text, '-', '') as random
  ) as parts
)::uuid;

-- The real one takes the node from a network card, which no database function can read.
create function uuid_generate_v1() returns uuid volatile parallel safe
return uuid_generate_v1mc();

create function uuid_generate_v3(namespace uuid, name text) returns uuid immutable strict parallel safe
return (
  select
    left(hash, 12) || '3' || substr(hash, 14, 3)
    || to_hex((('x' || substr(hash, 17, 1))::bit(4)::integer & 3) | 8) || substr(hash, 18)
  from (select md5(uuid_send(namespace) || convert_to(name, 'UTF8')) as hash) as hashed
)::uuid;

-- SHA-1 (FIPS 180-4) is written out, as core Postgres has none.
create function uuid_generate_v5(namespace uuid, name text) returns uuid immutable strict parallel safe
language plpgsql set search_path = pg_catalog as $$
declare
  word constant bigint := 4294967295;
  message bytea := uuid_send(namespace) || convert_to(name, 'UTF8');
  bits constant bigint := length(message) * 8;
  h bigint[] := array[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  w bigint[];
  a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; turned bigint;
  hash text := '';
begin
  message := message || '\x80'::bytea;
  message := message || decode(repeat('00', (120 - length(message) % 64) % 64), 'hex') || int8send(bits);
  for chunk in 0 .. length(message) / 64 - 1 loop
    for i in 0 .. 15 loop
      w[i] := ('x' || encode(substring(message from chunk * 64 + i * 4 + 1 for 4), 'hex'))::bit(32)::bigint;
    end loop;
    for i in 16 .. 79 loop
      turned := w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16];
      w[i] := ((turned << 1) | (turned >> 31)) & word;
    end loop;
    a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
    for i in 0 .. 79 loop
      case i / 20
        when 0 then f := (b & c) | (~b & word & d); k := 1518500249;
        when 1 then f := b # c # d; k := 1859775393;
        when 2 then f := (b & c) | (b & d) | (c & d); k := 2400959708;
        else f := b # c # d; k := 3395469782;
      end case;
      turned := ((((a << 5) | (a >> 27)) & word) + f + e + k + w[i]) & word;
      e := d; d := c; c := ((b << 30) | (b >> 2)) & word; b := a; a := turned;
    end loop;
    h := array[(h[1] + a) & word, (h[2] + b) & word, (h[3] + c) & word, (h[4] + d) & word, (h[5] + e) & word];
  end loop;
  for i in 1 .. 4 loop
    hash := hash || lpad(to_hex(h[i]), 8, '0');
  end loop;
  return (
    left(hash, 12) || '5' || substr(hash, 14, 3)
    || to_hex((('x' || substr(hash, 17, 1))::bit(4)::integer & 3) | 8) || substr(hash, 18)
  )::uuid;
end
$$;

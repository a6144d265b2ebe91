-- Functions of pgcrypto by their own names and with their own values, for a Postgres that was built without OpenSSL, on
-- what core Postgres has. Those at the end of the file are missing, and say so when they are called.

create function digest(bytea, text) returns bytea immutable strict parallel safe
language plpgsql set search_path = '' as $$
begin
  case lower($2)
    when 'md5' then return decode(md5($1), 'hex');
    when 'sha1' then return @extschema@.pgcrypto_sha1($1);
    when 'sha224' then return sha224($1);
    when 'sha256' then return sha256($1);
    when 'sha384' then return sha384($1);
    when 'sha512' then return sha512($1);
    else raise invalid_parameter_value using message = format('Cannot use "%s": No such hash algorithm', $2);
  end case;
end
$$;

create function digest(text, text) returns bytea immutable strict parallel safe
language plpgsql set search_path = '' as $$
begin
  return @extschema@.digest(convert_to($1, 'UTF8'), $2);
end
$$;

-- FIPS 180-4.
create function pgcrypto_sha1(data bytea) returns bytea immutable strict parallel safe
language plpgsql set search_path = '' as $$
declare
  word constant bigint := 4294967295;
  message bytea := data || '\x80'::bytea;
  h bigint[] := array[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  w bigint[];
  a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; turned bigint;
  result bytea := '';
begin
  message := message || decode(repeat('00', (120 - length(message) % 64) % 64), 'hex');
  message := message || int8send(length(data) * 8::bigint);
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
  for i in 1 .. 5 loop
    result := result || substring(int8send(h[i]) from 5);
  end loop;
  return result;
end
$$;
comment on function pgcrypto_sha1(bytea) is 'SHA-1, which core Postgres lacks.';

-- RFC 2104.
create function hmac(bytea, bytea, text) returns bytea immutable strict parallel safe
language plpgsql set search_path = '' as $$
declare
  block constant integer := case when lower($3) in ('sha384', 'sha512') then 128 else 64 end;
  key bytea := case when length($2) > block then @extschema@.digest($2, $3) else $2 end;
  inner_key bytea;
  outer_key bytea;
begin
  key := key || decode(repeat('00', block - length(key)), 'hex');
  inner_key := key;
  outer_key := key;
  for i in 0 .. block - 1 loop
    inner_key := set_byte(inner_key, i, get_byte(key, i) # 54);
    outer_key := set_byte(outer_key, i, get_byte(key, i) # 92);
  end loop;
  return @extschema@.digest(outer_key || @extschema@.digest(inner_key || $1, $3), $3);
end
$$;

create function hmac(text, text, text) returns bytea immutable strict parallel safe
language plpgsql set search_path = '' as $$
begin
  return @extschema@.hmac(convert_to($1, 'UTF8'), convert_to($2, 'UTF8'), $3);
end
$$;

create function gen_random_uuid() returns uuid volatile parallel safe
return pg_catalog.gen_random_uuid();

-- Core Postgres gives random bytes as uuids only, of which two bytes carry version and variant.
create function gen_random_bytes(integer) returns bytea volatile strict parallel safe
language plpgsql set search_path = '' as $$
declare
  bytes bytea := '';
  drawn bytea;
begin
  if $1 not between 1 and 1024 then
    raise external_routine_invocation_exception using message = 'Length not in range';
  end if;
  while length(bytes) < $1 loop
    drawn := uuid_send(gen_random_uuid());
    bytes := bytes || substring(drawn for 6) || substring(drawn from 10);
  end loop;
  return substring(bytes for $1);
end
$$;

create function gen_salt(text, integer) returns text volatile strict parallel safe
language plpgsql set search_path = '' as $$
declare
  digits constant text := './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  random constant bytea := @extschema@.gen_random_bytes(16);
  salt text := '$1$';
begin
  case lower($1)
    when 'bf' then
      if $2 not between 4 and 31 and $2 <> 0 then
        raise invalid_parameter_value using message = 'gen_salt: Incorrect number of rounds';
      end if;
      return '$2a$' || to_char(case $2 when 0 then 6 else $2 end, 'fm00') || '$' || @extschema@.pgcrypto_bcrypt_text(random);
    when 'md5' then
      if $2 not in (0, 1000) then
        raise invalid_parameter_value using message = 'gen_salt: Incorrect number of rounds';
      end if;
      for i in 0 .. 7 loop
        salt := salt || substr(digits, (get_byte(random, i) & 63) + 1, 1);
      end loop;
      return salt;
    when 'des', 'xdes' then
      raise feature_not_supported using
        message = format('gen_salt(''%s'') of pgcrypto is not supported by supalocal', $1),
        hint = 'Use gen_salt(''bf'').';
    else
      raise invalid_parameter_value using message = 'gen_salt: Unknown salt algorithm';
  end case;
end
$$;

create function gen_salt(text) returns text volatile strict parallel safe
language plpgsql set search_path = '' as $$
begin
  return @extschema@.gen_salt($1, 0);
end
$$;

create function crypt(text, text) returns text immutable strict parallel safe
language plpgsql set search_path = '' as $$
begin
  case
    when $2 like '$2a$%' then return @extschema@.pgcrypto_bcrypt($1, $2);
    when $2 like '$1$%' then return @extschema@.pgcrypto_md5_crypt($1, $2);
    when $2 like '$2%' or length($2) < 2 then
      raise invalid_parameter_value using message = 'invalid salt';
    else
      raise feature_not_supported using
        message = 'crypt() of pgcrypto with a DES salt is not supported by supalocal',
        hint = 'Use a salt of gen_salt(''bf'').';
  end case;
end
$$;

-- bcrypt's base64: the usual grouping of bits, other digits, no padding.
create function pgcrypto_bcrypt_text(bytes bytea) returns text immutable strict parallel safe
language sql set search_path = '' as $$
  select translate(
    rtrim(encode(bytes, 'base64'), '='),
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
    './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  )
$$;
comment on function pgcrypto_bcrypt_text(bytea) is 'The bytes in the base64 of bcrypt.';

create function pgcrypto_bcrypt_bytes(digits text) returns bytea immutable strict parallel safe
language sql set search_path = '' as $$
  select decode(
    rpad(
      translate(
        digits,
        './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
        'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
      ),
      (length(digits) + 3) / 4 * 4, '='
    ),
    'base64'
  )
$$;
comment on function pgcrypto_bcrypt_bytes(text) is 'The bytes that pgcrypto_bcrypt_text() wrote.';

create function pgcrypto_words(bytes bytea) returns bigint[] immutable strict parallel safe
language sql set search_path = '' as $$
  select array_agg(('x' || encode(substring(bytes from i * 4 + 1 for 4), 'hex'))::bit(32)::bigint order by i)
  from generate_series(0, length(bytes) / 4 - 1) as i
$$;
comment on function pgcrypto_words(bytea) is 'The bytes as numbers of 32 bits, the most significant byte first.';

-- Provos and Mazieres, 1999, on Schneier's Blowfish, whose first state is the fraction of pi. `x` is that state, from
-- index 1: 18 subkeys, then four boxes of 256. The sum of a round may carry beyond 32 bits until its end, as lower bits
-- do not depend on higher ones.
create function pgcrypto_bcrypt(password text, salt text) returns text immutable strict parallel safe
language plpgsql set search_path = '' as $$
declare
  key constant bytea := substring(convert_to(password, 'UTF8') || '\x00'::bytea for 72);
  x bigint[] := @extschema@.pgcrypto_words(decode('
JD9qiIWjCNMTGYouA3BzRKQJOCIpnzHQCC76mOxObIlFKCHmONATd75UZs806QxswKwpt8l8UN0/hNW1tUcJF5IW1dmJefsb0TELppjftawv/XLb0Brf
t7jhr+1qJn6WunyQRfEsf5kkoZlHs5Fs9wgB8uKFjvwWY2kg2HFXTmmkWP6j9JM9fg2VdI9yjrZYcYvNWIIVSu57VKQdwlpZtZww1Tkq8mATxdGwIyhg
hfDKQXkYuNs474553LBgOhgObJ4Oi7Aeij7XFXfBvTFLJ3ivL9pVYFxg5lUl86pVq5RXSJhiY+gUQFXKOWoqqxC2tMxcNBFB6M6hVIavfHLpk7PuFBFj
b7wqK6nFXXQYMfbOXD4Wm4eTHq/WujNsJM9cejJTgSiVhnc7j0iYa0u5r8S/6BtmKCGTYdgJzPshqZFIfKxgXeyAMu+EXV3phXWx3CYjAutlG4gjiT6B
05asxQ9tb/OD9EI5LgtEgqSEIARpyPBKnh+bXiHGaEL26WyaZwycYavTiPBqUaDS2FQvaJYPpyirUTOjbu8LbBN6O+S6O/BQfvsqmKHxZR05rwF2ZspZ
PoJDDoiM7oYZRW+ftH2EpcM7i16+4G912IXBIHNAGkSfVsFqpk7TqmI2P3cGG/7fckKbAj030Nck0AoSSNsP6tNJ8cCbB1NyyYCZG3sl1HnY9uje9+P+
UBq2eUw7l2zgvQTABrrBqU+2QJ9gxF5cnsIZaiRjaPtvrz5sU7UTObLrO1Lsb238UR+bMJUszIFFRK9evQm+49AE3jNK/WYPKAcZLkuzwMuoV0XIdA/S
C185udP721V5wL0aYDIK1qEAxkAscnlnnyX++x+jzI6l6fjbMiL4PHUW3/1haxUvUB7IrQVSqzI9tfr9I4dgUzF7SD4A34KeXFe7ym+MoBqHVi7fF2nb
1UKo9ih+/8OsZzLGjE9Vc2lbJ7C7yljI4f+jXbjwEaAQ+j2Y/SGDuEr8tWwt0dNbmlPkebb4RWXSjkm8S/uXkOHd8tqky34zYvsTQc7kxujvIMraNndM
AdB+nv4r8R+0ldvaTa6QkZjqrY5xa5PVoNCO0dCvxyXgjjxbL451lLeP9uL78hIrZIiIuBKQDfAcT61eoGiPwxzRz/GRs6jBrS8vIhi+Dhd36nUt/osC
H6HloMwPtW906Bis89bOieKZtKhP4P0T4Ld8xDuB0q2o2RZfomaAlXcFk8xzFCEaFHfmrSBld7X6hsdUQvX7nTXP682vDHs+iaDWQRvTrh5+SQAlDi0g
cbNeImgAu1e44K8kZDab8Am5HlVjkR1Z36aqeMFDidlaU38gfVuiAuW5xYMmA3Zilc+pEcgZaE5zSkGzRy3KexSpShtRAFKaUykV1g9XP7ybxuQrYKR2
geZ0AAi6b7VXG+kf8pbsayoN2RW2Y2Uh57n5tv80BS7FhVZkU7AtXamfj6EIukeZboUHakt6cOm1sylE23UJLsQZJiOtbqawSafffZzuYLiP7bJm7KqM
cWmaF/9WZFJswrGe4Rk2AqV1CUwpoFkTQOQYOj4/VJiaW0KdZWuP5NaZ9z/WodKcB+/oMPVNLTjm8CVdwUzdIIaEcOsmY4LpxgIezF4JaGs/PrrvyTyX
GBRranChaH81hFKg4oa3nFMFqlAHNz4HhBx/3q5cjn1E7FcW8riwOto38FAMDfAcHwQCALP/rgz1Gjy1dLIlg3pY3AkhvdGRE/l8qS/2lDJHcyL1RwE6
5eWBN8La3Mi1djSa892nqURhRg/QAw7syMc+pHUeQeI4zZk76g4vMoC7oRg+szFOVIs4T225CG9CDQP2CgS/LLgSkCSXfHlWebByvK+Jr96adx/ZkwgQ
s4uuEtzPPy5VEnIfLmtxJFAa3eafhM2HelhHGHQI2he8n5q86Ut9jOx67DrbhR36YwlDZsRkw9LvHBhHMhXZCN1DOzckwroWEqFNQyplxFFQlAACEzrk
3XHf+J4QMU5Vgax31l8RGZsENVbx16PHazwRGDtZJKUJ8o/m7Zfx+/qeur8sHhU8bobjRXDq6W+xhg5eClo+KrN3H+ccTj0G+ill3LmZ5x0PgD6J1lJm
yCUuTMl4nBCzasYVDrqU4up4pfw8Ux4KLfTy906nNh0rPRk5Jg8ZwnlgUiOnCPcTErbrrf5u6sMfZuO8RZWme8iDsX830QGM/yjDMt3vvmxapWVYIYVo
q5gC7s6lD9svlTsq732tW24vhBUhtigpB2Fw7N1HdWGfFRATzKgw62G9lgM0/h6qA2PPtXNckExwojnVnp4Ly6reFO7MhrxgYiynnKtcq7LzhG5kix6v
Gb3wyqAjabllWrtQQGhaMjwqtLMxnunVwCG495tUCxmHX6CZlfeZfmI9faj4N4ial+MtdxHtk18WaBKBDjWIKcfmH9aW3t+heFi6mVf1hKUbInJjm4PD
/xrCRpbNswrrUy4wVI/ZSORtvDEoWOvy7zTG/+r+KO1h7nw8c11KFNnoZLfjQhBdFCA+E+BF7uK2o6qr6ttsTxX6y0/Qx0L0Qu9qu7VlTzsdQc0hBdge
eZ6GhU3H5EtHaj2BYlDPYqHyW40mRvyIg6DBx7ajfxUkw2nLdJJHhIoLVpKyhQlbvwCtGUidFGKxdCOCDgBYQo0qDFX16h2t9D4jP3BhM3Lwko2TfkHW
X+zxbCI723zeN1nL7nRgQIXyp853Mm6mB4CEGfhQnujv2FVh2Zc1qWmnqsUMBsJaBKv8gAvK3J5Eei7DRTSE/dVnBQ4ensnbc9vTEFWIzWdf2nnjZ0NA
xcQ0ZXE+ONg9KPie8W3/IBU+IeePsD1K5uOfK9uDrffpPVpolIFA9/ZMJhyUaSk0QRUg93YC1Pe89Gsu1KIAaNQIJHEzIPRqQ7fUt1AAYa8eOfYulyRF
RhQhT3S/i4hATZX8HZa1ka9w9N3TZqAvRb+8CewDvZeFf6xt0DHLhQSW6yezVf05QdolR+arygqaKFB4JVMEKfQKLIba6bZt+2jcFGLXSGkAaA7ApCeh
je5PP/6i6IetjLWM4AZ69Na2qs4efNM3X+zOeKOZQGsqQiD+njXZ84W57jnXqzsSTosdyfr3S20YViajZjHq45eyOm76dN1bQzJoQef3yngg+/sK9U7Y
/rOXRUBWrLpIlSdVUzo6IIONh/5rqbfQlpVLVahnvKEVmljMqSljmeHbM6YqSlY/MSX5XvR+HJApMXz9+OgCBCcvcIC7FVwFKCzjlcEVSOTGbSJIwRM/
xw+G3Af5ye5BBB8PQEd5pF2IbhcyX1Hr1ZvA0fK8wY9BETVkJXt4NGAqnGDf+OijH2NsGw4StMIC4TKer2ZP0crRgRVrI5XgMz6S4TskC2LuvrkihbKi
Dua6DZnecgyMLaL3KNASeEWVt5T9ZH0IYufM9fBUSaNvh31I+sOd/SfzPo0eCkdjQZku/3Q6b26r9Pj9N6gS3GCh6934mRvhTNtuaw3Ge1UQbWcsNydl
1Dvc0OgE8SkNx8wA/6O1OQ+SaQ/tC2Z7n/vO232coJHPC9kVXqO7Ey+IUVutJHuUeb92O9brNzkus8wRWXmAJuKX9C4xLWhCrafGais7EnVMzHgu8Rxq
EkI3t5JR5wahu+ZL+2NQGmsQGBHK7fo9Jb3Y4uHDyURCFlkKEhOG2QzsbtWr6ipkr2dO2oaoX76/6Yhk5MP+nbyAV/D3wIZgeHv4YANgTdH9g0b2OB+w
d0WuBNc2/MyDQmsz8B6rcbCAQYc8AF5fd6BXvr3oriRVRkKZv1guYU5Y9I/y3f2i9HTvOIeJvcJTZvnDyLOOdLR18lVG/Nm5eusmYYsd34SEag55kV+V
4kZuWY4gtFdwjNVVkckC3ky5C6zhu4IF0BGoYkh1dKmet38ZtuCp3AlmLQmhxDJGM+haHwIJ8L6MSpmgJR1u/hAauT0dC6Wk36GG8g8oaPFp3Lfag1c5
Bv6h4s6bT81/UlARXgGnBoP6oAK1xA3m0Cea+Iwndz+GQcNgTAZhqAa18Bd6KMD1huAAYFiqMNx9YhHmntcjOOpjU8LdlMLCFjS7y+5WkLy23uv8faHO
WR12bwXkCUt8AYg5cgo9fJJ8JIbjcl9yTZ25GsFbtNOeuPztVFV4CPyltdg9fNNNrQ/EHlDvXrFh5viihRTZbFETPG/Vx+dW4U7ENiq/zt3GyDfXmjI0
kmOCEmcO+o5AYADgOjnON9P69c+rwnc3WsUtG1ywZ55PozdC04InQJm8m77VEY6dvw9zFdYtHH7HAMR7t4wbayGhkEWybrG+ajZutFdIqy+8lG55xqN2
0mVJwshTD/juRo3efdVzCh1M0E3GKTm726m6RlCslSbovl7jBKH61fBqLVGaY++M4pqG7iLAicK4QyQu9qUeA6qc8tCkg8Bhupvpak2P5RVQumRb1igm
ovmnOjrhS6mVhu9VYunHL+/T91L32j8Eb2l3+gpZgOSpFYewhgGbCeatOz7lk+mQ/VqeNNeXLPC32QIri1GW1aw6AX2mfdHPPtZ8fS0oH58lz63yuJta
1rRyWoj1TOAprHHgGaXmR7Cs/e2T+pvo08SNKDtXzPjVZil5Ey4oeF8Bke11YFX3lg5E49NejBUFbdSI9G26A6FhJQVk8L3D654VPJBXopcnGuypOgcq
Gz9tmx5jIfX1nGb7JtzzGXUz2SixVf31A1Y0goq6PLsoUXcRwgrZ+KvMUWfMrZJfTegXUTgw3I43nVhikyD5kep6kML7PnvOUSHOZHdPvjKotuN+wyk9
RkjeU2lkE+aAoq4IEN1tsiRphS39CQchZrOaRgpkRcDdWGzezxwgyK5bvvfdG1iNQMzSAX9rtOO73aJqfjpZ/0U+NQpEvLTN1XLqzqj6ZIS7jWYSrr88
b0fSm+RjVC9dnq7Cdxv2TmNwdA4NjedbE1f4chZxr1N9XUBAywhOtOLMNNJGagEVr4ThsAQolZg6HQa4n7TObqBIbz87gjUgq4IBGh1LJ3In+GEVYLHn
kz/cuzp5KzRFJb2giDnhUc55Sy8yybegH7rJ4BzIfrzH0fbPARHDoeiqxxqQh0nUT72a0Nrey9UK2jgDOcMqxpE2Z435MXzgsStP955Zt0P1uzry1Rn/
J9lFnL+XIiwV5vwqD5H8cZuUFSX65ZNhzrac68KoZFkSuqjRtsEHXuMFagwQ0lBlywOkQuDsbg4WmNs7TJigvjJ46WSfH5Uy4NOS39OgNCuJcfIeGwp0
QUujNIzFvnEgw3Yy2N81n42bmS8u5gtvRw/j8R3lTNpUHtrYkc5iec/NPn5vFhixZv0sHQWEj9LF9vsimfUj81emMnYjk6g1MVbMzQKs8IFiWnXrtW4W
NpeI0nPM3pZikoG5SdBMUJAbccZWFObGx70yehQKReHQBsPye5rJqlP9YqgPALslv+I1vdL2cRJpBbIEAiK2y898zXacK1MRPsAWQOPTOKu9YCVHrfC6
OCCc90bOdnevocUgdWBghcv+Torojdh6qvmwTPmqfhlIwlwC+4qMAcNq5Nbr4fmQ1PhpplzeoD8JJS3CCOaft05hMs534ltXj9/jOsNy5g==
  ', 'base64'));
  cost integer;
  salted bigint[];
  keys bigint[];
  mixed bigint[];
  l bigint;
  r bigint;
  result bytea := '';
begin
  if salt !~ '^\$2a\$\d\d\$[./A-Za-z0-9]{22}' or substr(salt, 5, 2)::integer not between 4 and 31 then
    raise invalid_parameter_value using message = 'invalid salt';
  end if;
  cost := substr(salt, 5, 2)::integer;
  salted := @extschema@.pgcrypto_words(@extschema@.pgcrypto_bcrypt_bytes(substr(salt, 8, 22)));
  keys := @extschema@.pgcrypto_words(substring(decode(repeat(encode(key, 'hex'), 72 / length(key) + 1), 'hex') for 72));
  for turn in 0 .. 2 << cost loop
    -- First the key with the salt stirred in, then by turns the key alone and the salt alone.
    mixed := case when turn = 0 or turn % 2 = 1 then keys else salted || salted || salted || salted || salted end;
    for i in 1 .. 18 loop
      x[i] := x[i] # mixed[i];
    end loop;
    l := 0;
    r := 0;
    for i in 1 .. 1041 by 2 loop
      if turn = 0 then
        l := l # salted[i % 4];
        r := r # salted[i % 4 + 1];
      end if;
      for k in 1 .. 15 by 2 loop
        l := l # x[k];
        r := r # x[k + 1] # ((
          (x[19 + (l >> 24)] + x[275 + ((l >> 16) & 255)] # x[531 + ((l >> 8) & 255)]) + x[787 + (l & 255)]
        ) & 4294967295);
        l := l # ((
          (x[19 + (r >> 24)] + x[275 + ((r >> 16) & 255)] # x[531 + ((r >> 8) & 255)]) + x[787 + (r & 255)]
        ) & 4294967295);
      end loop;
      select r # x[18], l # x[17] into l, r;
      x[i] := l;
      x[i + 1] := r;
    end loop;
  end loop;
  mixed := @extschema@.pgcrypto_words('OrpheanBeholderScryDoubt');
  for pair in 1 .. 5 by 2 loop
    l := mixed[pair];
    r := mixed[pair + 1];
    for again in 1 .. 64 loop
      for k in 1 .. 15 by 2 loop
        l := l # x[k];
        r := r # x[k + 1] # ((
          (x[19 + (l >> 24)] + x[275 + ((l >> 16) & 255)] # x[531 + ((l >> 8) & 255)]) + x[787 + (l & 255)]
        ) & 4294967295);
        l := l # ((
          (x[19 + (r >> 24)] + x[275 + ((r >> 16) & 255)] # x[531 + ((r >> 8) & 255)]) + x[787 + (r & 255)]
        ) & 4294967295);
      end loop;
      select r # x[18], l # x[17] into l, r;
    end loop;
    result := result || substring(int8send(l) from 5) || substring(int8send(r) from 5);
  end loop;
  -- Of the salt's last digit only two bits count.
  return substr(salt, 1, 7) || @extschema@.pgcrypto_bcrypt_text(@extschema@.pgcrypto_bcrypt_bytes(substr(salt, 8, 22)))
    || @extschema@.pgcrypto_bcrypt_text(substring(result for 23));
end
$$;
comment on function pgcrypto_bcrypt(text, text) is 'What crypt() does with a salt of gen_salt(''bf'').';

-- FreeBSD's, by Poul-Henning Kamp.
create function pgcrypto_md5_crypt(password text, salt text) returns text immutable strict parallel safe
language plpgsql set search_path = '' as $$
declare
  digits constant text := './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  pass constant bytea := convert_to(password, 'UTF8');
  grains constant bytea := convert_to(substring(salt from '^\$1\$([^$]{0,8})'), 'UTF8');
  sum bytea := decode(md5(pass || grains || pass), 'hex');
  text bytea := pass || '$1$'::bytea || grains
    || substring(decode(repeat(encode(sum, 'hex'), length(pass) / 16 + 1), 'hex') for length(pass));
  rest integer := length(pass);
  bits integer;
  result text := '$1$' || convert_from(grains, 'UTF8') || '$';
begin
  while rest > 0 loop
    text := text || case when rest % 2 = 1 or length(pass) = 0 then '\x00'::bytea else substring(pass for 1) end;
    rest := rest / 2;
  end loop;
  sum := decode(md5(text), 'hex');
  for i in 0 .. 999 loop
    text := case when i % 2 = 1 then pass else sum end;
    if i % 3 > 0 then
      text := text || grains;
    end if;
    if i % 7 > 0 then
      text := text || pass;
    end if;
    sum := decode(md5(text || case when i % 2 = 1 then sum else pass end), 'hex');
  end loop;
  for i in 0 .. 4 loop
    bits := (get_byte(sum, i) << 16) | (get_byte(sum, i + 6) << 8) | get_byte(sum, case i when 4 then 5 else i + 12 end);
    for k in 0 .. 3 loop
      result := result || substr(digits, ((bits >> k * 6) & 63) + 1, 1);
    end loop;
  end loop;
  return result || substr(digits, (get_byte(sum, 11) & 63) + 1, 1) || substr(digits, (get_byte(sum, 11) >> 6) + 1, 1);
end
$$;
comment on function pgcrypto_md5_crypt(text, text) is 'What crypt() does with a salt of gen_salt(''md5'').';

do $do$
declare
  missing text;
begin
  foreach missing in array array[
    'encrypt(bytea, bytea, text) returns bytea',
    'decrypt(bytea, bytea, text) returns bytea',
    'encrypt_iv(bytea, bytea, bytea, text) returns bytea',
    'decrypt_iv(bytea, bytea, bytea, text) returns bytea',
    'pgp_sym_encrypt(text, text) returns bytea',
    'pgp_sym_encrypt(text, text, text) returns bytea',
    'pgp_sym_encrypt_bytea(bytea, text) returns bytea',
    'pgp_sym_encrypt_bytea(bytea, text, text) returns bytea',
    'pgp_sym_decrypt(bytea, text) returns text',
    'pgp_sym_decrypt(bytea, text, text) returns text',
    'pgp_sym_decrypt_bytea(bytea, text) returns bytea',
    'pgp_sym_decrypt_bytea(bytea, text, text) returns bytea',
    'pgp_pub_encrypt(text, bytea) returns bytea',
    'pgp_pub_encrypt(text, bytea, text) returns bytea',
    'pgp_pub_encrypt_bytea(bytea, bytea) returns bytea',
    'pgp_pub_encrypt_bytea(bytea, bytea, text) returns bytea',
    'pgp_pub_decrypt(bytea, bytea) returns text',
    'pgp_pub_decrypt(bytea, bytea, text) returns text',
    'pgp_pub_decrypt(bytea, bytea, text, text) returns text',
    'pgp_pub_decrypt_bytea(bytea, bytea) returns bytea',
    'pgp_pub_decrypt_bytea(bytea, bytea, text) returns bytea',
    'pgp_pub_decrypt_bytea(bytea, bytea, text, text) returns bytea',
    'pgp_key_id(bytea) returns text',
    'armor(bytea) returns text',
    'armor(bytea, text[], text[]) returns text',
    'dearmor(text) returns bytea',
    'pgp_armor_headers(text, out key text, out value text) returns setof record'
  ] loop
    execute format(
      'create function %s strict parallel safe language plpgsql set search_path = %L as %L',
      missing, '', format(
        'begin raise feature_not_supported using message = %L, hint = %L; end',
        split_part(missing, '(', 1) || '() of pgcrypto is not supported by supalocal',
        'digest, hmac, crypt, gen_salt, gen_random_bytes and gen_random_uuid are.'
      )
    );
  end loop;
end
$do$;

create function public.add(a integer, b integer) returns integer
language sql immutable
return a + b;

create function public.notes_in(room text) returns setof public.notes
language sql stable
begin atomic
  select notes.* from public.notes join public.rooms on rooms.id = notes.room_id where rooms.name = room;
end;

create function public.refuse(reason text) returns void
language plpgsql
set search_path = ''
as $$
begin
  raise sqlstate 'PT409' using message = reason, detail = 'the detail', hint = 'the hint';
end
$$;

comment on function public.add(integer, integer) is 'A scalar.';
comment on function public.notes_in(text) is 'Rows of a table, which may be filtered, ordered and embedded on.';
comment on function public.refuse(text) is 'Answers with HTTP status 409.';

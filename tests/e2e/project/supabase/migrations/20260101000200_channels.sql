create policy "Signed-in users hear the clubs" on realtime.messages
  for select to authenticated using (realtime.topic() like 'club:%');
create policy "Signed-in users speak in the clubs" on realtime.messages
  for insert to authenticated with check (realtime.topic() like 'club:%');

-- security definer: the caller may not write to realtime.messages by itself
create function public.announce(topic text, event text, payload jsonb, private boolean) returns void
language sql security definer
set search_path = ''
as $$ select realtime.send(payload, event, topic, private) $$;

create function public.tell_club() returns trigger
language plpgsql security definer -- as above
set search_path = ''
as $$
begin
  perform realtime.broadcast_changes(
    'club:' || new.room_id, tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
  return null;
end
$$;

create trigger tell_club after insert or update on public.notes for each row execute function public.tell_club();

comment on function public.announce(text, text, jsonb, boolean) is 'Broadcasts from the database.';
comment on function public.tell_club() is 'Broadcasts a note to the private channel of its room.';

-- For development: a session with a short conversation. Running it again changes nothing.
-- The session ends up closed, so that it holds none of the 10,000 codes.

insert into public.sessions (id, code)
values ('5eed0000-0000-4000-8000-000000000001', '4242')
on conflict do nothing;

insert into public.session_participants (session_id, user_id, lang)
select s.id, p.user_id, p.lang
from public.sessions s
cross join (values
  ('5eed0000-0000-4000-8000-00000000000a'::uuid, 'en'),
  ('5eed0000-0000-4000-8000-00000000000b'::uuid, 'es')
) as p (user_id, lang)
where s.id = '5eed0000-0000-4000-8000-000000000001' and s.is_active;

insert into public.messages (id, session_id, user_id, original, translation, original_lang, target_lang, status)
select m.id, s.id, m.user_id, m.original, m.translation, m.original_lang, m.target_lang, 'displayed'
from public.sessions s
cross join (values
  (1, '5eed0000-0000-4000-8000-000000000011'::uuid, '5eed0000-0000-4000-8000-00000000000a'::uuid,
    'Good morning! Is this seat free?', '¡Buenos días! ¿Está libre este asiento?', 'en', 'es'),
  (2, '5eed0000-0000-4000-8000-000000000012'::uuid, '5eed0000-0000-4000-8000-00000000000b'::uuid,
    'Sí, claro. ¿Va usted a Sevilla?', 'Yes, of course. Are you going to Seville?', 'es', 'en'),
  (3, '5eed0000-0000-4000-8000-000000000013'::uuid, '5eed0000-0000-4000-8000-00000000000a'::uuid,
    'Yes, for the first time.', 'Sí, por primera vez.', 'en', 'es'),
  (4, '5eed0000-0000-4000-8000-000000000014'::uuid, '5eed0000-0000-4000-8000-00000000000b'::uuid,
    'Le va a encantar.', 'You are going to love it.', 'es', 'en')
) as m (place, id, user_id, original, translation, original_lang, target_lang)
where s.id = '5eed0000-0000-4000-8000-000000000001' and s.is_active
order by m.place;

update public.sessions set is_active = false
where id = '5eed0000-0000-4000-8000-000000000001' and is_active;

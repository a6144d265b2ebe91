"""All SQL that Auth sends."""
# ruff: noqa: S105  what has a token in its name is a statement, no secret

from __future__ import annotations

_USER = """
select
  u.id, coalesce(u.aud, '') as aud, coalesce(u.role, '') as role, coalesce(u.email, '') as email,
  coalesce(u.phone, '') as phone, coalesce(u.encrypted_password, '') as encrypted_password,
  u.email_confirmed_at, u.invited_at, u.phone_confirmed_at, u.confirmation_sent_at, u.confirmed_at, u.recovery_sent_at,
  coalesce(u.email_change, '') as new_email, u.email_change_sent_at,
  coalesce(u.phone_change, '') as new_phone, u.phone_change_sent_at, u.reauthentication_sent_at, u.last_sign_in_at,
  coalesce(u.raw_app_meta_data, '{}') as app_metadata, coalesce(u.raw_user_meta_data, '{}') as user_metadata,
  u.created_at, u.updated_at, u.banned_until, u.deleted_at, u.is_anonymous,
  coalesce(u.banned_until > now(), false) as is_banned,
  num_nulls(
    u.aud, u.role, u.confirmation_token, u.recovery_token, u.email_change_token_new, u.email_change,
    u.email_change_token_current, u.email_change_confirm_status, u.phone_change, u.phone_change_token,
    u.reauthentication_token, u.created_at, u.updated_at
  ) > 0 as is_unreadable
from auth.users u
where u.instance_id = '00000000-0000-0000-0000-000000000000'
"""

USER_BY_ID = f"{_USER} and u.id = %s"
USER_BY_EMAIL = f"{_USER} and lower(u.email) = lower(%s) and u.aud = %s and not u.is_sso_user"

_FRESH = "> now() - make_interval(secs => %(lifetime)s) for update"
USER_BY_CONFIRMATION = f"{_USER} and u.confirmation_token = %(token)s and u.confirmation_sent_at {_FRESH}"
USER_BY_RECOVERY = f"{_USER} and u.recovery_token = %(token)s and u.recovery_sent_at {_FRESH}"
USER_BY_EMAIL_CHANGE = f"""{_USER}
and %(token)s in (u.email_change_token_current, u.email_change_token_new) and u.email_change_sent_at {_FRESH}
"""

USER_HOLDING_EMAIL = f"""{_USER}
and u.aud = %(aud)s and not u.is_sso_user and u.id is distinct from %(but)s and (
  lower(u.email) = %(email)s
  or exists (
    select from auth.identities i
    where i.user_id = u.id and i.email = %(email)s and i.provider not like 'sso:%%'
  )
) limit 1
"""
"""Who uses an address, also beside the one that they sign in with; the user `but` does not count."""

USER_HOLDING_PHONE = f"{_USER} and u.aud = %(aud)s and u.phone = %(phone)s and u.id is distinct from %(but)s"

_LISTED = """
and u.aud = %(aud)s and (
  %(like)s::text is null or u.email like %(like)s or u.raw_user_meta_data ->> 'full_name' ilike %(like)s
)
"""
USERS = f"{_USER} {_LISTED} order by u.created_at desc, u.id limit %(limit)s offset %(offset)s"
USER_COUNT = f"""
select count(*) from auth.users u where u.instance_id = '00000000-0000-0000-0000-000000000000' {_LISTED}
"""

INSERT_USER = """
insert into auth.users (
  instance_id, id, aud, role, email, phone, encrypted_password, raw_app_meta_data, raw_user_meta_data, is_anonymous,
  confirmation_token, recovery_token, email_change_token_new, email_change, created_at, updated_at
) values (
  '00000000-0000-0000-0000-000000000000', %(id)s, %(aud)s, '', nullif(%(email)s, ''), nullif(%(phone)s, ''),
  %(encrypted_password)s, %(app_metadata)s, %(user_metadata)s, %(is_anonymous)s, '', '', '', '', now(), now()
)
"""

UPDATE_USER = "update auth.users set {}, updated_at = now() where id = {}"
DELETE_USER = "delete from auth.users where id = %s"

IDENTITIES = """
select id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at,
  coalesce(email, '') as email
from auth.identities where user_id = %s order by created_at, id
"""

SAVE_IDENTITY = """
insert into auth.identities (
  id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at
) values (gen_random_uuid(), %(user)s::text, %(user)s::uuid, %(data)s, %(provider)s, now(), now(), now())
on conflict on constraint identities_provider_id_provider_unique
do update set identity_data = identities.identity_data || excluded.identity_data, updated_at = now()
"""

INSERT_SESSION = """
insert into auth.sessions (id, user_id, created_at, updated_at, aal, user_agent, ip)
values (%(session)s, %(user)s, now(), now(), 'aal1', nullif(%(user_agent)s, ''), nullif(%(ip)s, '')::inet)
"""

INSERT_METHOD = """
insert into auth.mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
values (gen_random_uuid(), %s, now(), now(), %s)
"""

METHODS = """
select authentication_method, extract(epoch from updated_at)::bigint
from auth.mfa_amr_claims where session_id = %s order by updated_at
"""

SESSION_EXISTS = "select exists (select from auth.sessions where id = %s and user_id = %s)"
END_SESSIONS_OF_USER = "delete from auth.sessions where user_id = %(user)s"
END_SESSION = "delete from auth.sessions where user_id = %(user)s and id = %(session)s"
END_OTHER_SESSIONS = "delete from auth.sessions where user_id = %(user)s and id <> %(session)s"

INSERT_REFRESH_TOKEN = """
insert into auth.refresh_tokens (instance_id, token, user_id, session_id, parent, revoked, created_at, updated_at)
values ('00000000-0000-0000-0000-000000000000', %(token)s, %(user)s, %(session)s, %(parent)s, false, now(), now())
"""

SESSION_OF_REFRESH_TOKEN = "select session_id from auth.refresh_tokens where token = %s"

LOCK_SESSION = """
select user_id, coalesce(not_after < now(), false) as is_over from auth.sessions where id = %s for update
"""

REFRESH_TOKEN = """
select token, revoked, extract(epoch from clock_timestamp() - updated_at)::float8 as age
from auth.refresh_tokens where token = %s
"""

ACTIVE_REFRESH_TOKEN = """
select token, coalesce(parent, '') as parent from auth.refresh_tokens
where session_id = %s and not revoked order by id desc limit 1
"""

REVOKE_REFRESH_TOKEN = "update auth.refresh_tokens set revoked = true, updated_at = clock_timestamp() where token = %s"
REVOKE_FAMILY = """
update auth.refresh_tokens set revoked = true, updated_at = clock_timestamp() where session_id = %s and not revoked
"""

LIMIT_HOOK = "set local statement_timeout = '2s'"
UNLIMIT = "set local statement_timeout = 0"
CALL_HOOK = "select {}(%s)"

NOTE_REFRESH = """
update auth.sessions
set refreshed_at = now() at time zone 'utc', updated_at = now(),
  user_agent = nullif(%(user_agent)s, ''), ip = nullif(%(ip)s, '')::inet
where id = %(session)s
"""

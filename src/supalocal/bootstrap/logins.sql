-- How REST and Auth log in. Said anew on every start: on a server given by URL another program may have changed it.

alter role authenticator login password 'postgres';
alter role supabase_auth_admin login password 'postgres';

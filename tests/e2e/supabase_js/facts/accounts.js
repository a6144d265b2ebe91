// Signing up, in and out.
import assert from 'node:assert/strict'
import { randomUUID as unique } from 'node:crypto'

const credentials = () => ({ email: `${unique()}@example.com`, password: 'correct horse' })

async function ok(answer) {
  const { data, error } = await answer
  if (error) throw error
  return data
}

export default {
  'an anonymous user is signed in at once': async ({ anyone }) => {
    const { user, session } = await ok(anyone.auth.signInAnonymously({ options: { data: { name: 'Ada' } } }))
    assert.deepEqual([user.is_anonymous, user.role, user.user_metadata], [true, 'authenticated', { name: 'Ada' }])
    assert.deepEqual([session.user.id, session.token_type, session.expires_in], [user.id, 'bearer', 3600])
  },

  'what a user writes is signed by default and read by nobody else': async ({ anyone, member }) => {
    const author = await member()
    const { user } = await ok(author.auth.getUser())
    const room = await ok(author.from('rooms').insert({ name: unique() }).select().single())
    const note = await ok(author.from('notes').insert({ room_id: room.id, body: 'mine' }).select().single())
    const strangers = [anyone, await member()]
    const seen = await Promise.all(strangers.map((each) => ok(each.from('notes').select().eq('id', note.id))))
    assert.deepEqual([note.author, seen], [user.id, [[], []]])
  },

  'a sign-up by email signs in at once, confirmed': async ({ anyone }) => {
    const { email, password } = credentials()
    const { user, session } = await ok(anyone.auth.signUp({ email, password, options: { data: { name: 'Ada' } } }))
    assert.deepEqual([user.email, user.is_anonymous, user.user_metadata.name], [email, false, 'Ada'])
    assert.ok(user.email_confirmed_at && session.access_token && session.refresh_token)
    assert.deepEqual(user.identities.map(({ provider }) => provider), ['email'])
  },

  'the password signs the same user in again': async ({ anyone, client }) => {
    const known = credentials()
    const { user } = await ok(anyone.auth.signUp(known))
    const again = await ok(client().auth.signInWithPassword(known))
    assert.equal(again.user.id, user.id)
  },

  'a wrong password is refused': async ({ anyone, client }) => {
    const known = credentials()
    await ok(anyone.auth.signUp(known))
    const { data, error } = await client().auth.signInWithPassword({ ...known, password: 'wrong battery' })
    assert.deepEqual(
      [data.user, error.code, error.status, error.message],
      [null, 'invalid_credentials', 400, 'Invalid login credentials'],
    )
  },

  'an address signs up once': async ({ anyone, client }) => {
    const known = credentials()
    await ok(anyone.auth.signUp(known))
    const { error } = await client().auth.signUp(known)
    assert.deepEqual([error.code, error.status], ['user_already_exists', 422])
  },

  'a weak password is refused with the reason': async ({ anyone }) => {
    const { error } = await anyone.auth.signUp({ ...credentials(), password: 'abc' })
    assert.deepEqual([error.code, error.status, error.reasons], ['weak_password', 422, ['length']])
  },

  'a refresh gives new tokens of the same session': async ({ member }) => {
    const someone = await member()
    const { session: before } = await ok(someone.auth.getSession())
    const { session: after, user } = await ok(someone.auth.refreshSession())
    const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
    assert.notEqual(after.refresh_token, before.refresh_token)
    assert.equal(user.id, before.user.id)
    assert.equal(claims(after.access_token).session_id, claims(before.access_token).session_id)
    await ok(someone.from('rooms').select().limit(1))
  },

  'a session is taken up by its tokens': async ({ member, client }) => {
    const someone = await member()
    const { session } = await ok(someone.auth.getSession())
    const { user } = await ok(client().auth.setSession(session))
    assert.equal(user.id, session.user.id)
  },

  'a user keeps what it says of itself': async ({ anyone, client }) => {
    const known = credentials()
    await ok(anyone.auth.signUp(known))
    await ok(anyone.auth.updateUser({ data: { colour: 'green' }, password: 'another horse' }))
    const { user } = await ok(client().auth.signInWithPassword({ ...known, password: 'another horse' }))
    assert.equal(user.user_metadata.colour, 'green')
  },

  'the claims are told of a valid token only': async ({ member }) => {
    const someone = await member()
    const { claims } = await ok(someone.auth.getClaims())
    const { session } = await ok(someone.auth.getSession())
    const forged = await someone.auth.getUser(`${session.access_token.slice(0, -4)}AAAA`)
    assert.deepEqual([claims.sub, claims.aud, claims.is_anonymous], [session.user.id, 'authenticated', true])
    assert.deepEqual([forged.data.user, forged.error.code], [null, 'bad_jwt'])
  },

  'the secret key signs somebody in by a link': async ({ anyone, admin }) => {
    const { email } = credentials()
    const { properties } = await ok(admin.auth.admin.generateLink({ type: 'magiclink', email }))
    const { user } = await ok(anyone.auth.verifyOtp({ type: 'email', token_hash: properties.hashed_token }))
    assert.equal(user.email, email)
  },

  'what is not supported says so': async ({ anyone }) => {
    const { error } = await anyone.auth.signInWithOtp({ email: credentials().email })
    const said = 'POST /auth/v1/otp is not supported by supalocal.'
    assert.deepEqual([error.code, error.status, error.message], ['not_supported', 422, said])
  },

  'a sign-out ends the session': async ({ member, client }) => {
    const someone = await member()
    const { session } = await ok(someone.auth.getSession())
    const { error } = await someone.auth.signOut()
    const user = await client().auth.getUser(session.access_token)
    const refreshed = await client().auth.refreshSession(session)
    assert.deepEqual([error, user.error?.name, refreshed.error?.status], [null, 'AuthSessionMissingError', 400])
  },
}
